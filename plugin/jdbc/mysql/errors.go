package mysql

import (
	"errors"
	"strings"

	"github.com/culvertdata/culvert/plugin"
	"github.com/culvertdata/culvert/plugin/internal/mysql/wire"
)

// explain turns an error of the server into one that says what to do.
func (d *database) explain(err error) error {
	var known *plugin.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var answer *wire.Error
	if !errors.As(err, &answer) {
		if errors.Is(err, wire.ErrLost) {
			return d.unreachable(err)
		}
		return err
	}
	e := &plugin.Error{Err: err}
	if isRefusal(err) {
		e.Code, e.Fix = plugin.CodeData, "correct the rows, or relax the target table"
		return e
	}
	switch answer.Number {
	case 1045, 1698, 1251:
		e.Code, e.Fix = plugin.CodeDenied, "check user and password, and that the user may connect from this host"
	case 1044, 1142, 1143, 1227, 1370, 1410, 3118, 4151:
		e.Code, e.Fix = plugin.CodeDenied, "grant the user "+d.config.User+" the missing right"
	case 1290, 1792, 1836, 3100:
		e.Code, e.Fix = plugin.CodeDenied, "the server is read-only; connect to one that takes writes"
	case 1049:
		e.Code, e.Fix = plugin.CodeNotFound,
			"check the name of the database, in the url or in front of the table, or create it"
	case 1146, 1051:
		e.Code, e.Fix = plugin.CodeNotFound, "check the name of the table and its database"
	case 1054:
		e.Code, e.Fix = plugin.CodeNotFound, "check the names of the columns"
	case 1050, 1007:
		e.Code = plugin.CodeExists
	case 1040, 1203, 1226:
		e.Code, e.Retry, e.Fix = plugin.CodeUnavailable, true,
			"raise the server's or the user's limit of connections, or lower the parallelism"
	case 1053, 1129, 1152, 1158, 1159, 1160, 1161, 1205, 1206, 1213, 1927, 3024, 4031:
		e.Code, e.Retry = plugin.CodeUnavailable, true
	case 1021, 1030, 1114, 1041, 1037, 3, 28:
		e.Code, e.Retry, e.Fix = plugin.CodeUnavailable, true, "make room on the server's disk"
	case 1046:
		e.Code, e.Fix = plugin.CodeConfig, "name the database, in the url or by the option database"
	case 1298:
		e.Code, e.Fix = plugin.CodeConfig,
			"load the server's time zone tables, or give serverTimezone as an offset such as +02:00"
	default:
		e.Code = plugin.CodeConfig
	}
	return e
}

// isRefusal reports that the server has refused a row's values.
func isRefusal(err error) bool {
	var answer *wire.Error
	if !errors.As(err, &answer) {
		return errors.Is(err, errValue)
	}
	switch answer.Number {
	case 1048, 1062, 1169, 1216, 1217, 1263, 1264, 1265, 1292, 1366, 1367, 1406, 1411, 1416, 1425, 1451, 1452, 1526, 1557,
		1586, 1690, 1761, 3140, 3156, 3157, 3819, 3854, 4025, 4078:
		return true
	}
	return false
}

// isDeadlock reports that the server has rolled a transaction back in favour of another.
func isDeadlock(err error) bool {
	var answer *wire.Error
	return errors.As(err, &answer) && (answer.Number == 1213 || answer.Number == 1205 || answer.Number == 1020)
}

func (d *database) unreachable(err error) error {
	return &plugin.Error{
		Code: plugin.CodeUnavailable, Retry: true, Err: err,
		Fix: "check that the server runs and can be reached at " + strings.Join(d.addrs, ", "),
	}
}

// ofTable adds the table to an error that does not name it.
func ofTable(err error, id plugin.TableID) error {
	var e *plugin.Error
	if errors.As(err, &e) && e.Table.Name == "" {
		e.Table = id
	}
	return err
}
