package postgres

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"net"
	"net/url"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/culvertdata/culvert/plugin/jdbc"
)

// ignored are properties of SeaTunnel's driver that have no meaning here.
var ignored = []string{
	"loggerlevel", "loggerfile", "stringtype", "rewritebatchedinserts", "preparethreshold",
	"preparedstatementcachequeries",
	"preparedstatementcachesizemib", "defaultrowfetchsize", "binarytransfer", "binarytransferenable",
	"binarytransferdisable", "tcpkeepalive", "logintimeout", "connecttimeout", "sockettimeout", "canceltimeout",
	"readonly", "autosave", "cleanupsavepoints", "preferquerymode", "unknownlength",
	"disablecolumnsanitiser",
	"allowencodingchanges", "logunclosedconnections", "loadbalancehosts", "assumeminserverversion", "sslfactory",
	"stringescaping", "escapesyntaxcallmode", "gssencmode", "adaptivefetch", "databasemetadatacachefields",
}

// libpq maps properties of the driver to connection parameters that pgconn knows.
var libpq = map[string]string{
	"sslmode": "sslmode", "sslrootcert": "sslrootcert", "sslcert": "sslcert", "sslkey": "sslkey",
	"sslpassword": "sslpassword", "applicationname": "application_name", "currentschema": "search_path",
	"options": "options", "kerberosservername": "krbsrvname",
}

// parseURL reads jdbc:postgresql://host:port,host:port/database?name=value and the shorter forms without hosts. The
// connection's own properties, user and password win over those in the url.
func parseURL(c jdbc.Connection) (*pgconn.Config, error) {
	rest := strings.TrimPrefix(c.URL, prefix)
	rest, query, _ := strings.Cut(rest, "?")
	hosts, database := "", strings.TrimPrefix(rest, "/")
	if after, ok := strings.CutPrefix(rest, "//"); ok {
		hosts, database, _ = strings.Cut(after, "/")
	}
	database, err := url.PathUnescape(database)
	if err != nil {
		return nil, configError(errors.New("url: the database's name has a % that begins no escape"), "write %25 for a %")
	}
	values, err := url.ParseQuery(query)
	if err != nil {
		return nil, configError(errors.New("url: the parameters cannot be read"), "write them as ?name=value&name=value")
	}
	properties := map[string]string{}
	for name := range values {
		properties[strings.ToLower(name)] = values.Get(name)
	}
	for name, value := range c.Properties {
		properties[strings.ToLower(name)] = value
	}
	user := cmp.Or(c.User, properties["user"])
	password := cmp.Or(c.Password, properties["password"])
	delete(properties, "user")
	delete(properties, "password")
	settings, err := connectSettings(hosts, properties, c)
	if err != nil {
		return nil, err
	}
	settings["user"] = user
	settings["dbname"] = cmp.Or(database, user)
	config, err := pgconn.ParseConfig(settings.String())
	if err != nil {
		return nil, configError(fmt.Errorf("url: %w", err), "check the host, the port and the parameters of the url")
	}
	config.Password = password
	config.ConnectTimeout = c.Timeout
	return config, nil
}

// settings are connection parameters as pgconn reads them.
type settings map[string]string

func (s settings) String() string {
	escape := strings.NewReplacer(`\`, `\\`, `'`, `\'`)
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(s)) {
		fmt.Fprintf(&b, "%s='%s' ", name, escape.Replace(s[name]))
	}
	return b.String()
}

func connectSettings(hosts string, properties map[string]string, c jdbc.Connection) (settings, error) {
	s := settings{"application_name": "culvert"}
	var names, ports []string
	for host := range strings.SplitSeq(cmp.Or(hosts, "localhost"), ",") {
		name, port := host, "5432"
		if h, p, err := net.SplitHostPort(host); err == nil {
			name, port = h, p
		}
		names, ports = append(names, strings.Trim(name, "[]")), append(ports, port)
	}
	s["host"], s["port"] = strings.Join(names, ","), strings.Join(ports, ",")
	for _, name := range slices.Sorted(maps.Keys(properties)) {
		value := properties[name]
		switch {
		case name == "ssl":
			if value == "" || strings.EqualFold(value, "true") {
				s["sslmode"] = cmp.Or(properties["sslmode"], "verify-full")
			}
		case name == "targetservertype":
			target, ok := targetServers[strings.ToLower(value)]
			if !ok {
				return nil, configError(fmt.Errorf("targetServerType: %q is not known", value), "use any, primary or secondary")
			}
			s["target_session_attrs"] = target
		case libpq[name] != "":
			s[libpq[name]] = value
		case !slices.Contains(ignored, name) && c.Logger != nil:
			c.Logger.Warn("the property has no effect on PostgreSQL", "name", name)
		}
	}
	return s, nil
}

// targetServers maps the driver's wish for a kind of server.
var targetServers = map[string]string{
	"any": "any", "primary": "primary", "master": "primary", "secondary": "standby", "slave": "standby",
	"preferprimary": "any", "prefersecondary": "prefer-standby", "preferslave": "prefer-standby",
}
