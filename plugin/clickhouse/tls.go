package clickhouse

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"os"
	"strconv"
)

// tlsSettings are the entries of clickhouse.config that are about HTTPS, as the JDBC driver spells them.
var tlsSettings = []string{"ssl", "sslmode", "sslrootcert", "sslcert", "sslkey"}

// tlsConfig returns how to talk HTTPS, nil for HTTP. The error names an entry of clickhouse.config.
func tlsConfig(settings map[string]string) (*tls.Config, error) {
	on, err := strconv.ParseBool(settings["ssl"])
	if settings["ssl"] == "" {
		on, err = false, nil
	}
	if err != nil {
		return nil, fmt.Errorf("clickhouse.config: ssl = %q is neither true nor false", settings["ssl"])
	}
	if !on {
		for _, name := range tlsSettings[1:] {
			if settings[name] != "" {
				return nil, fmt.Errorf("clickhouse.config: %s needs ssl = true", name)
			}
		}
		return nil, nil
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	switch settings["sslmode"] {
	case "", "strict":
	case "none":
		c.InsecureSkipVerify = true
	default:
		return nil, fmt.Errorf("clickhouse.config: sslmode = %q is neither strict nor none", settings["sslmode"])
	}
	if file := settings["sslrootcert"]; file != "" {
		pem, err := os.ReadFile(file)
		if err != nil {
			return nil, fmt.Errorf("clickhouse.config: sslrootcert: %w", err)
		}
		c.RootCAs = x509.NewCertPool()
		if !c.RootCAs.AppendCertsFromPEM(pem) {
			return nil, fmt.Errorf("clickhouse.config: sslrootcert: %s holds no certificate", file)
		}
	}
	cert, key := settings["sslcert"], settings["sslkey"]
	if cert == "" && key == "" {
		return c, nil
	}
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		return nil, fmt.Errorf("clickhouse.config: sslcert and sslkey: %w", err)
	}
	c.Certificates = []tls.Certificate{pair}
	return c, nil
}
