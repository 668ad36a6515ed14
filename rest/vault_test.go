package rest_test

import (
	"context"
	"fmt"

	"github.com/culvertdata/culvert/plugin"
)

// vaultOptions has secrets of all kinds: named by SeaTunnel, declared, under another name, and inside.
type vaultOptions struct {
	APIKey   string `opt:"api_key,apikey" secret:"true" help:"Key."`
	Password string `opt:"password" secret:"true" help:"Password."`
	Username string `opt:"username" help:"User."`
	Fail     string `opt:"fail" enum:"open,prepare,write,data" help:"Where to fail, with all secrets in the message."`
	Login    struct {
		Pin string `opt:"pin" secret:"true" help:"Pin."`
	} `opt:"login" help:"Login."`
}

// vault is a sink that tells its key to seen, and its secrets to everybody when it is told to fail, as a careless
// driver does.
func vault(seen chan<- string) plugin.Set {
	return func() []plugin.Plugin {
		return []plugin.Plugin{plugin.NewSink(plugin.Info{Name: "Vault"},
			func(_ context.Context, o vaultOptions, env plugin.Env) (*vaultSink, error) {
				select {
				case seen <- o.APIKey:
				default:
				}
				v := &vaultSink{options: o, env: env}
				return v, v.fail("open")
			})}
	}
}

type vaultSink struct {
	options vaultOptions
	env     plugin.Env
}

func (v *vaultSink) fail(at string) error {
	if v.options.Fail != at {
		return nil
	}
	o := v.options
	err := fmt.Errorf("dial %s:%s@host: key %q, pin=%s: refused", o.Username, o.Password, o.APIKey, o.Login.Pin)
	v.env.Logger.Warn("connecting failed with key "+o.APIKey, "url", "https://"+o.Username+":"+o.Password+"@host",
		"error", err)
	return &plugin.Error{Code: plugin.CodeData, Row: "row of " + o.APIKey, Fix: "look at " + o.Password, Err: err}
}

func (v *vaultSink) Prepare(context.Context, []*plugin.Table) error { return v.fail("prepare") }

func (v *vaultSink) Writer(context.Context, plugin.Task) (plugin.Writer, error) {
	return &vaultWriter{v}, nil
}

type vaultWriter struct{ *vaultSink }

func (w *vaultWriter) Write(context.Context, plugin.Batch) error { return w.fail("write") }

func (w *vaultWriter) Flush(context.Context, uint64) ([]byte, error) { return nil, w.fail("data") }

func (w *vaultWriter) Close() error { return nil }
