package mysql

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
)

// Plugins returns the Jdbc source and sink with MySQL and MariaDB as their only databases.
func Plugins() []plugin.Plugin { return jdbc.Plugins(Dialect(), MariaDB())() }

// Dialect returns the dialect of jdbc:mysql: urls, for [jdbc.Plugins]. It serves MariaDB as well.
func Dialect() jdbc.Dialect { return dialect{"MySQL", "jdbc:mysql:"} }

// MariaDB returns the dialect of jdbc:mariadb: urls, for [jdbc.Plugins].
func MariaDB() jdbc.Dialect { return dialect{"MariaDB", "jdbc:mariadb:"} }

type dialect struct{ name, prefix string }

// Name implements [jdbc.Dialect].
func (d dialect) Name() string { return d.name }

// Prefix implements [jdbc.Dialect].
func (d dialect) Prefix() string { return d.prefix }

// Open implements [jdbc.Dialect]: it takes the url apart.
func (d dialect) Open(c jdbc.Connection) (jdbc.Database, error) {
	rest := strings.TrimPrefix(c.URL, d.prefix)
	if !strings.HasPrefix(rest, "//") {
		return nil, configError(errors.New("url: //host:port/database must follow "+d.prefix),
			"write it as "+d.prefix+"//host:3306/database")
	}
	rest, query, _ := strings.Cut(rest[2:], "?")
	hosts, name, _ := strings.Cut(rest, "/")
	if at := strings.LastIndexByte(hosts, '@'); at >= 0 {
		return nil, configError(errors.New("url: it must not hold a user"), "use the options user and password")
	}
	name, err := url.PathUnescape(name)
	if err != nil {
		return nil, configError(errors.New("url: the database's name is not well escaped"), "write % as %25")
	}
	values, err := url.ParseQuery(strings.ReplaceAll(query, ";", "%3B"))
	if err != nil {
		return nil, configError(errors.New("url: the properties are not well escaped"),
			"write them as ?name=value&name=value")
	}
	db := newDatabase(c, name)
	for host := range strings.SplitSeq(hosts, ",") {
		db.addrs = append(db.addrs, address(host))
	}
	p := properties{db: db, sslMode: "PREFERRED"}
	for key := range values {
		if err := p.set(key, values.Get(key)); err != nil {
			return nil, err
		}
	}
	for key, value := range c.Properties {
		if err := p.set(key, value); err != nil {
			return nil, err
		}
	}
	return db, p.finish(c)
}

// address adds the port that a url leaves out.
func address(host string) string {
	if host == "" {
		host = "localhost"
	}
	if _, _, err := net.SplitHostPort(host); err == nil {
		return host
	}
	return net.JoinHostPort(strings.Trim(host, "[]"), "3306")
}

// properties collects the driver properties that matter here, in the words of MySQL Connector/J.
type properties struct {
	db      *database
	sslMode string
	ca      string
	zone    string
}

func (p *properties) set(name, value string) error {
	switch strings.ToLower(name) {
	case "user":
		p.db.config.User = value
	case "password":
		p.db.config.Password = value
	case "usessl", "requiressl":
		switch {
		case strings.EqualFold(value, "false") && p.sslMode == "PREFERRED":
			p.sslMode = "DISABLED"
		case strings.EqualFold(value, "true") && strings.EqualFold(name, "requiressl"):
			p.sslMode = "REQUIRED"
		}
	case "sslmode":
		p.sslMode = strings.ToUpper(strings.ReplaceAll(value, "-", "_"))
	case "serversslcert":
		p.ca = value
	case "servertimezone", "connectiontimezone":
		p.zone = value
	case "tinyint1isbit":
		p.db.tinyBool = !strings.EqualFold(value, "false")
	case "zerodatetimebehavior":
		return p.setZeroDates(value)
	case "sessionvariables":
		p.db.setup = append(p.db.setup, value)
	default:
		p.db.log.Debug("the driver property has no effect", "name", name)
	}
	return nil
}

func (p *properties) setZeroDates(value string) error {
	switch strings.ToUpper(strings.ReplaceAll(value, "_", "")) {
	case "EXCEPTION":
		p.db.zero = zeroIsError
	case "CONVERTTONULL":
		p.db.zero = zeroIsNull
	case "ROUND":
		p.db.zero = zeroIsRounded
	default:
		return configError(fmt.Errorf("zeroDateTimeBehavior: %q is not known", value),
			"use EXCEPTION, CONVERT_TO_NULL or ROUND")
	}
	return nil
}

func (p *properties) finish(c jdbc.Connection) error {
	db := p.db
	if c.User != "" {
		db.config.User = c.User
	}
	if c.Password != "" {
		db.config.Password = c.Password
	}
	if zone := p.zone; zone != "" && !strings.EqualFold(zone, "LOCAL") && !strings.EqualFold(zone, "SERVER") {
		db.setup = append(db.setup, "time_zone = "+quoteText(zoneName(zone)))
	}
	return p.secure()
}

// zoneName gives UTC the name that servers know without time zone tables.
func zoneName(zone string) string {
	switch strings.ToUpper(zone) {
	case "UTC", "GMT", "Z", "ETC/UTC":
		return "+00:00"
	}
	return zone
}

// secure sets up TLS. The server's name is filled in when its address is known.
func (p *properties) secure() error {
	cfg := &p.db.config
	switch p.sslMode {
	case "DISABLED", "DISABLE":
		return nil
	case "PREFERRED", "REQUIRED", "TRUST":
		cfg.TLS = &tls.Config{InsecureSkipVerify: p.ca == ""}
		cfg.Optional = p.sslMode == "PREFERRED"
	case "VERIFY_CA", "VERIFY_IDENTITY", "VERIFY_FULL":
		cfg.TLS = &tls.Config{}
	default:
		return configError(fmt.Errorf("sslMode: %q is not known", p.sslMode),
			"use DISABLED, PREFERRED, REQUIRED, VERIFY_CA or VERIFY_IDENTITY")
	}
	if p.ca == "" {
		return nil
	}
	pem, err := os.ReadFile(p.ca)
	if err != nil {
		return configError(fmt.Errorf("serverSslCert: %w", err), "name a file with certificates in PEM form")
	}
	cfg.TLS.RootCAs = x509.NewCertPool()
	if !cfg.TLS.RootCAs.AppendCertsFromPEM(pem) {
		return configError(fmt.Errorf("serverSslCert: %s holds no certificate", p.ca),
			"name a file with certificates in PEM form")
	}
	return nil
}

func newDatabase(c jdbc.Connection, name string) *database {
	log := c.Logger
	if log == nil {
		log = nullLogger()
	}
	timeout := c.Timeout
	if timeout <= 0 {
		timeout = 30 * time.Second
	}
	dial := &net.Dialer{KeepAlive: 30 * time.Second}
	return &database{
		config:   wire.Config{Database: name, Dial: dial.DialContext},
		tinyBool: true, timeout: timeout, log: log,
	}
}

func configError(err error, fix string) error {
	return &plugin.Error{Code: plugin.CodeConfig, Err: err, Fix: fix}
}
