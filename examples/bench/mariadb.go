package main

import (
	"bufio"
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/go-sql-driver/mysql"
)

// mariadb is a MariaDB or MySQL server.
type mariadb struct {
	*databases
	url *url.URL
}

const mariadbDatabase = "culvert_bench"

const mariadbColumns = ` (id int PRIMARY KEY, account bigint, name varchar(100), city varchar(100), ratio double,
	amount decimal(12,2), changed datetime(6), active boolean)`

func (m *mariadb) setUp(ctx context.Context) error {
	if m.url != nil {
		return nil
	}
	address, err := m.services.address(ctx, "mariadb")
	if err != nil {
		return err
	}
	u, err := url.Parse(address)
	if err != nil {
		return err
	}
	m.url = u
	path, err := m.input()
	if err != nil {
		return err
	}
	return m.exec(ctx, "DROP DATABASE IF EXISTS "+mariadbDatabase+"; CREATE DATABASE "+mariadbDatabase+
		"; USE "+mariadbDatabase+"; CREATE TABLE "+sourceTable+mariadbColumns+"; CREATE TABLE "+targetTable+mariadbColumns+
		"; LOAD DATA LOCAL INFILE '"+path+"' INTO TABLE "+sourceTable+" FIELDS TERMINATED BY ',' "+
		"(id, account, name, city, ratio, amount, changed, @active) SET active = @active = 'true'"+
		"; ANALYZE TABLE "+sourceTable)
}

// client returns the mariadb client with statements to run.
func (m *mariadb) client(ctx context.Context, statements string) *exec.Cmd {
	password, _ := m.url.User.Password()
	cmd := exec.CommandContext(ctx, "mariadb", "--no-defaults", "--local-infile=1", "--quick", "--skip-column-names",
		"--batch", "-h", m.url.Hostname(), "-P", m.url.Port(), "-u", m.url.User.Username(), "-e", statements)
	cmd.Env = append(os.Environ(), "MYSQL_PWD="+password)
	cmd.Stderr = os.Stderr
	return cmd
}

func (m *mariadb) exec(ctx context.Context, statements string) error {
	return m.client(ctx, statements).Run()
}

func (m *mariadb) access() string {
	password, _ := m.url.User.Password()
	return fmt.Sprintf("url = %q, driver = com.mysql.cj.jdbc.Driver, user = %q, password = %q",
		"jdbc:mysql://"+m.url.Host+"/"+mariadbDatabase, m.url.User.Username(), password)
}

func (m *mariadb) source() string {
	return "  Jdbc {\n    " + m.access() + "\n    table_path = " + mariadbDatabase + "." + sourceTable + "\n  }"
}

func (m *mariadb) sink() string {
	return "  Jdbc {\n    " + m.access() + "\n    generate_sink_sql = true, database = " + mariadbDatabase +
		", table = " + targetTable + ", primary_keys = [id]\n  }"
}

func (m *mariadb) empty(ctx context.Context) error {
	return m.exec(ctx, "TRUNCATE TABLE "+mariadbDatabase+"."+targetTable)
}

func (m *mariadb) count(ctx context.Context) (int64, error) {
	out, err := m.client(ctx, "SELECT COUNT(*) FROM "+mariadbDatabase+"."+targetTable).Output()
	if err != nil {
		return 0, err
	}
	return strconv.ParseInt(strings.TrimSpace(string(out)), 10, 64)
}

func (m *mariadb) prepared() string { return filepath.Join(m.flags.dir, "mariadb.load") }

// prepare writes the rows in the form that LOAD DATA reads.
func (m *mariadb) prepare(ctx context.Context) error {
	f, err := os.Create(m.prepared())
	if err != nil {
		return err
	}
	cmd := m.client(ctx, "SELECT * FROM "+mariadbDatabase+"."+targetTable)
	cmd.Stdout = f
	return errors.Join(cmd.Run(), f.Close())
}

func (m *mariadb) write(ctx context.Context) error {
	return m.exec(ctx, "LOAD DATA LOCAL INFILE '"+m.prepared()+"' INTO TABLE "+mariadbDatabase+"."+targetTable)
}

// read reads the source by a connection of its own that looks at nothing but the packets' heads. A driver makes the
// connection.
func (m *mariadb) read(ctx context.Context) error {
	var wire net.Conn
	login := mysql.NewConfig()
	login.Net, login.Addr, login.DBName, login.User = "tcp", m.url.Host, mariadbDatabase, m.url.User.Username()
	login.Passwd, _ = m.url.User.Password()
	login.DialFunc = func(ctx context.Context, network, addr string) (c net.Conn, err error) {
		wire, err = (&net.Dialer{}).DialContext(ctx, network, addr)
		return wire, err
	}
	connector, err := mysql.NewConnector(login)
	if err != nil {
		return err
	}
	var conn driver.Conn
	if conn, err = connector.Connect(ctx); err != nil {
		return err
	}
	return errors.Join(readPackets(wire, "SELECT * FROM "+sourceTable), conn.Close())
}

// readPackets sends a query and reads packets up to the end of its rows.
func readPackets(wire net.Conn, query string) error {
	head := []byte{byte(len(query) + 1), 0, 0, 0, 3}
	if _, err := wire.Write(append(head, query...)); err != nil {
		return err
	}
	in := bufio.NewReaderSize(wire, 256<<10)
	for n := 0; ; n++ {
		head, err := in.Peek(5)
		if err != nil {
			return err
		}
		size := int(head[0]) | int(head[1])<<8 | int(head[2])<<16
		switch kind := head[4]; {
		case kind == 0xff:
			return errors.New("the server refuses to read the table")
		case kind == 0xfe && size < 9 && n > columnPackets:
			_, err := io.CopyN(io.Discard, in, int64(size+4))
			return err
		}
		if _, err := in.Discard(size + 4); err != nil {
			return err
		}
	}
}

// columnPackets is the number of packets that describe the columns: their number, each of them, and an end in between.
const columnPackets = 10

func (m *mariadb) close(ctx context.Context) error {
	if m.url == nil {
		return nil
	}
	return errors.Join(m.exec(ctx, "DROP DATABASE IF EXISTS "+mariadbDatabase), removeIfThere(m.prepared()))
}
