package mysqlcdc

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/cdc"
	"github.com/culvertdata/culvert/plugin/internal/debezium"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
	"github.com/culvertdata/culvert/plugin/jdbc"
	"github.com/culvertdata/culvert/plugin/jdbc/mysql"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/binlog"
	"github.com/culvertdata/culvert/plugin/mysqlcdc/internal/ddl"
)

// Plugins returns the MySQL-CDC source.
func Plugins() []plugin.Plugin {
	info := plugin.Info{
		Name: "MySQL-CDC", Summary: "Reads tables of MySQL or MariaDB and follows their changes in the binary log.",
		Streaming: true, Pings: true,
	}
	return []plugin.Plugin{plugin.NewSource(info, open)}
}

// Source captures tables of one server.
type Source struct {
	options  Options
	env      plugin.Env
	server   *mysql.Server
	finder   *finder
	tinyBool bool
	known    cdc.Known
	messages *plugin.Table // what rows become in Debezium's format; nil in the usual one
	plain    bool          // the server is taken for one that does not tell the place of a view

	mu        sync.Mutex // the lanes make their readers at the same time
	facts     *facts
	relations []*jdbc.Relation
	tables    []*plugin.Table // planned
	columns   columnsOf       // of the planned tables, where changes of the columns are followed
	versions  map[version]*plugin.Table
}

// columnsOf are the columns of tables as the log has them.
type columnsOf map[plugin.TableID]ddl.Table

// version names one version of a table.
type version struct {
	id     plugin.TableID
	number uint32
}

var (
	_ plugin.Source  = (*Source)(nil)
	_ plugin.Pinger  = (*Source)(nil)
	_ plugin.Resumer = (*Source)(nil)
)

// open checks the options. It connects to nothing.
func open(_ context.Context, o Options, env plugin.Env) (*Source, error) {
	s := &Source{options: o, env: env}
	properties := maps.Clone(o.Properties)
	if properties == nil {
		properties = map[string]string{}
	}
	s.tinyBool = boolProperty(o.url(), properties, "tinyInt1isBit")
	if !s.tinyBool {
		properties["tinyInt1isBit"] = "false"
	}
	if zone, err := loadZone(o.Zone); err != nil {
		return nil, configError(fmt.Errorf("server-time-zone: %w", err), "")
	} else if zone != nil {
		properties["serverTimezone"] = zone.String()
	}
	url := o.url()
	if !strings.HasPrefix(url, "jdbc:mysql:") && !strings.HasPrefix(url, "jdbc:mariadb:") {
		head, _, _ := strings.Cut(url, "//") // what follows may hold a password
		return nil, configError(fmt.Errorf("base-url: %q is no url of MySQL or MariaDB", head),
			"write it as jdbc:mysql://host:3306/database")
	}
	var err error
	if o.envelopes() {
		if s.messages, err = debezium.Table(env.TableID()); err != nil {
			return nil, err
		}
	}
	s.server, err = mysql.Open(jdbc.Connection{
		URL: url, User: o.User, Password: o.Password, Properties: properties, Timeout: o.ConnectTimeout, Logger: env.Logger,
	})
	if err != nil {
		return nil, err
	}
	s.finder, err = newFinder(o, s.server.Name())
	return s, err
}

// boolProperty reports whether a driver property is true, by the map or by the url.
func boolProperty(url string, properties map[string]string, name string) bool {
	for key, value := range properties {
		if strings.EqualFold(key, name) {
			return strings.EqualFold(value, "true")
		}
	}
	return strings.Contains(strings.ToLower(url), strings.ToLower(name)+"=true")
}

// zeroDates returns what becomes of dates that are no days, as the driver property zeroDateTimeBehavior has it.
func (s *Source) zeroDates() binlog.ZeroDates {
	value := ""
	_, query, _ := strings.Cut(s.options.url(), "?")
	for pair := range strings.SplitSeq(query, "&") {
		if name, v, _ := strings.Cut(pair, "="); strings.EqualFold(name, "zeroDateTimeBehavior") {
			value = v
		}
	}
	for name, v := range s.options.Properties {
		if strings.EqualFold(name, "zeroDateTimeBehavior") {
			value = v
		}
	}
	switch strings.ToUpper(strings.ReplaceAll(value, "_", "")) {
	case "CONVERTTONULL":
		return binlog.ZeroIsNull
	case "ROUND":
		return binlog.ZeroIsRounded
	default:
		return binlog.ZeroIsError
	}
}

// Ping connects to the server.
func (s *Source) Ping(ctx context.Context) error { return s.server.Ping(ctx) }

// Tables finds and describes the tables, and checks that the server's log can be captured.
func (s *Source) Tables(ctx context.Context) ([]*plugin.Table, error) {
	if err := s.plan(ctx); err != nil {
		return nil, err
	}
	if s.messages != nil {
		return []*plugin.Table{s.messages}, nil
	}
	return s.tables, nil
}

// plan asks the server once for all that must be known before the job starts.
func (s *Source) plan(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.relations != nil {
		return nil
	}
	session, err := s.server.Connect(ctx)
	if err != nil {
		return err
	}
	var ids []plugin.TableID
	err = session.Run(ctx, func(c *wire.Conn) (err error) {
		if s.facts, err = learn(c, s.options); err != nil {
			return err
		}
		ids, err = s.finder.find(c)
		return err
	})
	if err = errors.Join(err, session.Close()); err != nil {
		return err
	}
	relations, columns, err := s.describeAll(ctx, ids)
	if err != nil {
		return err
	}
	s.relations = relations
	if s.options.schemaChanges() {
		s.columns = columns
	}
	for _, r := range relations {
		s.tables = append(s.tables, r.Table)
	}
	return nil
}

// describeAll describes tables, also as the log has them. The answers of the server fit together if the columns are the
// same before and after.
func (s *Source) describeAll(ctx context.Context, ids []plugin.TableID) ([]*jdbc.Relation, columnsOf, error) {
	before, err := s.logColumns(ctx, ids)
	if err != nil {
		return nil, nil, err
	}
	for range viewTries {
		relations, failed := s.describe(ctx, ids)
		columns, err := s.logColumns(ctx, ids)
		if err != nil {
			return nil, nil, errors.Join(failed, err)
		}
		if before.same(columns) {
			return relations, columns, failed
		}
		before = columns
	}
	return nil, nil, &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true,
		Err: errors.New("the tables are altered again and again while the job is planned"),
	}
}

// logColumns reads the columns of tables as the log has them.
func (s *Source) logColumns(ctx context.Context, ids []plugin.TableID) (columnsOf, error) {
	session, err := s.server.Connect(ctx)
	if err != nil {
		return nil, err
	}
	columns := columnsOf{}
	err = session.Run(ctx, func(c *wire.Conn) (err error) {
		for _, id := range ids {
			if columns[id], err = readTable(c, id); err != nil {
				return err
			}
		}
		return nil
	})
	return columns, errors.Join(err, session.Close())
}

// same reports whether tables have the same columns and keys in two descriptions.
func (c columnsOf) same(other columnsOf) bool {
	return maps.EqualFunc(c, other, func(a, b ddl.Table) bool { return sameColumns(&a, &b) && slices.Equal(a.Key, b.Key) })
}

// describe asks for the columns and keys of tables. All problems are reported together.
func (s *Source) describe(ctx context.Context, ids []plugin.TableID) ([]*jdbc.Relation, error) {
	catalog, err := s.server.Catalog(ctx)
	if err != nil {
		return nil, err
	}
	var relations []*jdbc.Relation
	var errs []error
	for _, id := range ids {
		r, err := s.describeTable(ctx, catalog, id)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		relations = append(relations, r)
	}
	return relations, errors.Join(append(errs, catalog.Close())...)
}

func (s *Source) describeTable(ctx context.Context, catalog jdbc.Catalog, id plugin.TableID) (*jdbc.Relation, error) {
	configured := s.options.tableConfig(id)
	request := jdbc.Request{Path: id.String(), Key: configured.Split}
	if request.Key == "" && len(configured.Keys) > 0 {
		request.Key = configured.Keys[0]
	}
	r, err := catalog.Describe(ctx, request)
	if err != nil && configured.Split == "" && request.Key != "" {
		request.Key = "" // the column may be none to cut by
		r, err = catalog.Describe(ctx, request)
	}
	if err != nil {
		return nil, err
	}
	relation := *r
	if len(configured.Keys) > 0 {
		if relation.Table, err = withKey(r.Table, configured.Keys); err != nil {
			return nil, err
		}
	}
	if relation.Key != "" {
		c := relation.Table.Columns[relation.Table.Index(relation.Key)]
		switch baseType(c.SourceType) {
		case "uuid", "inet4", "inet6": // their order is not that of their texts
			relation.Key, relation.Unique = "", false
		}
	}
	if s.options.ExactlyOnce && !identified(relation.Table) {
		return nil, &plugin.Error{
			Code: plugin.CodeConfig, Table: id, Err: fmt.Errorf("exactly_once: %w", errNoKey),
			Fix: "name columns that identify a row in table-names-config, or set exactly_once = false",
		}
	}
	return &relation, nil
}

// withKey returns a table whose primary key is the one that the job names.
func withKey(t *plugin.Table, names []string) (*plugin.Table, error) {
	keyed := *t
	keyed.Key, keyed.KeyName = nil, ""
	for _, name := range names {
		i := slices.IndexFunc(t.Columns, func(c plugin.Column) bool { return strings.EqualFold(c.Name, name) })
		if i < 0 {
			return nil, &plugin.Error{
				Code: plugin.CodeConfig, Table: t.ID,
				Err: fmt.Errorf("table-names-config: primaryKeys: there is no column %q", name),
				Fix: "the columns are " + strings.Join(t.Names(), ", "),
			}
		}
		keyed.Key = append(keyed.Key, i)
	}
	return plugin.NewTable(keyed)
}

func identified(t *plugin.Table) bool {
	return len(t.Key) > 0 || slices.ContainsFunc(t.Constraints, func(c plugin.Constraint) bool {
		return c.Kind == plugin.UniqueKey
	})
}

// relation finds a table that the job captures, nil if it does not any more.
func (s *Source) relation(id plugin.TableID) *jdbc.Relation {
	for _, r := range s.relations {
		if r.Table.ID == id {
			return r
		}
	}
	return nil
}

// ids returns the captured tables, in order.
func (s *Source) ids() []plugin.TableID {
	ids := make([]plugin.TableID, len(s.relations))
	for i, r := range s.relations {
		ids[i] = r.Table.ID
	}
	return ids
}

// Resume takes the tables as the sinks know them.
func (s *Source) Resume(tables []*plugin.Table) { s.known.Note(tables...) }

// current returns a captured table as the sinks know it; nil if it is not captured any more.
func (s *Source) current(id plugin.TableID) *plugin.Table {
	if r := s.relation(id); r != nil {
		return s.known.Of(r.Table)
	}
	return nil
}

// outOf returns the table that is in force downstream: what a state says, else the planned one. All lanes get the same
// pointer for the same version.
func (s *Source) outOf(id plugin.TableID, form *outTable) (*plugin.Table, error) {
	if form == nil {
		if t := s.current(id); t != nil {
			return t, nil
		}
		return nil, fmt.Errorf("table %s is not captured any more", id)
	}
	t, err := form.table(id)
	if err != nil {
		return nil, err
	}
	return s.shared(t), nil
}

// shared returns the pointer that all lanes use for a version of a table.
func (s *Source) shared(t *plugin.Table) *plugin.Table {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.versions == nil {
		s.versions = map[version]*plugin.Table{}
	}
	key := version{t.ID, t.Version}
	if known := s.versions[key]; known != nil && known.SameColumns(t) {
		return known
	}
	s.versions[key] = t
	return t
}
