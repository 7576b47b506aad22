package samltest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"time"
)

const (
	readTimeout     = 10 * time.Second
	shutdownTimeout = 5 * time.Second
)

// Listen opens a TCP address such as 127.0.0.1:8081, and returns the origin under which browsers find it, for [Options.Origin].
// Port 0 is any that is free. The error says in one clause what is wrong.
func Listen(address string) (l net.Listener, origin string, err error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, "", fmt.Errorf("%q is not an address like 127.0.0.1:8080", address)
	}
	if l, err = net.Listen("tcp", address); err != nil {
		return nil, "", fmt.Errorf("cannot listen on %s (%w)", address, rootCause(err))
	}
	_, port, err := net.SplitHostPort(l.Addr().String()) // 0 has become a real one
	if err != nil {
		return nil, "", errors.Join(err, l.Close())
	}
	return l, "http://" + net.JoinHostPort(host, port), nil
}

// rootCause is "address already in use", without the words around it.
func rootCause(err error) error {
	for errors.Unwrap(err) != nil {
		err = errors.Unwrap(err)
	}
	return err
}

// Serve serves a site on the listener until ctx ends, which is no error, and then lets requests end that have begun.
func Serve(ctx context.Context, l net.Listener, site http.Handler) error {
	server := &http.Server{Handler: site, ReadTimeout: readTimeout}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	var err error
	select {
	case <-ctx.Done():
	case err = <-failed:
	}
	limit, cancel := context.WithTimeout(context.WithoutCancel(ctx), shutdownTimeout)
	defer cancel()
	return errors.Join(err, server.Shutdown(limit))
}
