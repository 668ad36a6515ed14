package main

import (
	"errors"
	"fmt"
	"net"
	"strconv"
)

// defaultPort is that of SeaTunnel's nodes.
const defaultPort = 5801

// address is where to listen: the first free one of tries ports from port on.
type address struct {
	host  string
	port  int
	tries int
}

func parseAddress(text string) (address, error) {
	host, port, err := net.SplitHostPort(text)
	if err != nil {
		return address{}, fmt.Errorf("-listen: %w; write HOST:PORT, for example 127.0.0.1:5801", err)
	}
	n, err := strconv.Atoi(port)
	if err != nil || n < 0 || n > 65535 {
		return address{}, fmt.Errorf("-listen: the port must be between 0 and 65535, not %q", port)
	}
	return address{host: host, port: n, tries: 1}, nil
}

func listenAll(addresses []address) (listeners []net.Listener, err error) {
	for _, a := range addresses {
		l, err := a.listen()
		if err != nil {
			for _, open := range listeners {
				err = errors.Join(err, open.Close())
			}
			return nil, err
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

func (a address) listen() (net.Listener, error) {
	var first error
	for port := a.port; port < a.port+max(a.tries, 1) && port <= 65535; port++ {
		l, err := net.Listen("tcp", net.JoinHostPort(a.host, strconv.Itoa(port)))
		if err == nil {
			return l, nil
		}
		if first == nil {
			first = err
		}
	}
	if a.tries > 1 {
		return nil, fmt.Errorf("no free port among %d from %d on: %w", a.tries, a.port, first)
	}
	return nil, first
}
