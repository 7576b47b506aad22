package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

const idpUsage = `Usage: logintrust idp [-personality NAME] [-listen ADDRESS] [-key FILE] [-sp METADATA]...

Starts an identity provider for trying things out: a sign-in page with two users, single logout, metadata. It writes its messages
in the shape of a product. It asks the network for nothing but the -sp that are URLs, and forgets everything when it ends.
Its passwords are known to everybody: no real service provider must trust it.

  -personality NAME  write like a product; without it, like none
  -listen ADDRESS    127.0.0.1:8081 by default; port 0 is any that is free
  -key FILE          sign with this private key, RSA or EC in PEM; without it, with one made now
  -sp METADATA       register the service provider that this file or URL describes; may be repeated. The home page has a
                     form that registers others.

Personalities:
`

const (
	maxMetadata  = 4 << 20 // octets of a service provider's metadata
	fetchTimeout = 5 * time.Second
)

// idpOptions are the flags of "logintrust idp".
type idpOptions struct {
	personality samltest.Personality
	listen, key string
	sps         []string
}

// runIdP serves until it is interrupted.
func runIdP(args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return serveIdP(ctx, args, stdin, stdout, stderr)
}

func serveIdP(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	o, done, err := idpFlags(args, stdout)
	if err == nil && !done {
		err = o.serve(ctx, stdin, stdout)
	}
	if err == nil {
		return exitOK
	}
	text := strings.TrimPrefix(strings.TrimPrefix(err.Error(), "saml: "), "samltest: ")
	if _, wrong := errors.AsType[usageError](err); wrong {
		fmt.Fprintf(stderr, "logintrust idp: %s; \"logintrust idp -h\" explains.\n", text)
		return exitUsage
	}
	fmt.Fprintf(stderr, "logintrust idp: %s.\n", text)
	return exitUnable
}

func idpFlags(args []string, stdout io.Writer) (o idpOptions, done bool, err error) {
	flags := flag.NewFlagSet("idp", flag.ContinueOnError)
	name := flags.String("personality", "", "")
	flags.StringVar(&o.listen, "listen", "127.0.0.1:8081", "")
	flags.StringVar(&o.key, "key", "", "")
	flags.Func("sp", "", func(s string) error {
		o.sps = append(o.sps, s)
		return nil
	})
	rest, done, err := flagsFor(flags, idpUsage+personalities(), args, stdout)
	switch {
	case err != nil || done:
		return o, done, err
	case len(rest) > 0:
		return o, false, usageError(fmt.Sprintf("%q is too much", rest[0]))
	}
	found := *name == ""
	if !found {
		o.personality, found = samltest.FindPersonality(*name)
	}
	if !found {
		return o, false, usageError(fmt.Sprintf("there is no -personality %q; there are %s", *name, choices(personalityNames())))
	}
	return o, false, nil
}

// personalities lists them for the help.
func personalities() string {
	var b strings.Builder
	for _, p := range samltest.Personalities() {
		fmt.Fprintf(&b, "  %-18s %s\n", p.Name, p.Title)
	}
	return b.String()
}

func personalityNames() (names []string) {
	for _, p := range samltest.Personalities() {
		names = append(names, p.Name)
	}
	return names
}

// serve makes the identity provider and serves it.
func (o idpOptions) serve(ctx context.Context, stdin io.Reader, stdout io.Writer) error {
	options := samltest.Options{Personality: o.personality, Registration: true}
	if o.key != "" {
		text, err := readText(o.key, stdin)
		if err != nil {
			return fmt.Errorf("-key: %w", err)
		}
		if options.Key, err = saml.ParsePrivateKey(text); err != nil {
			return fmt.Errorf("-key %s: %w", o.key, trimmed(err))
		}
	}
	l, origin, err := samltest.Listen(o.listen)
	if err != nil {
		return fmt.Errorf("-listen: %w", err)
	}
	options.Origin = origin
	idp, err := samltest.New(options)
	for _, place := range o.sps {
		if err == nil {
			err = register(ctx, idp, place)
		}
	}
	if err == nil {
		err = introduceIdP(stdout, idp, len(o.sps))
	}
	if err != nil {
		return errors.Join(err, l.Close())
	}
	return samltest.Serve(ctx, l, idp.Handler())
}

// register makes the service provider known whose metadata is in that file or at that URL.
func register(ctx context.Context, idp *samltest.IdP, place string) error {
	metadata, err := readMetadata(ctx, place)
	if err == nil {
		err = idp.AddSPMetadata(metadata)
	}
	if err != nil {
		return fmt.Errorf("-sp %s: %s", place, strings.TrimPrefix(err.Error(), "samltest: "))
	}
	return nil
}

// readMetadata reads a file or an http or https URL. Whoever gives the URL runs this program, so it may be anywhere.
func readMetadata(ctx context.Context, place string) ([]byte, error) {
	if u, err := url.Parse(place); err != nil || u.Scheme != "http" && u.Scheme != "https" {
		f, err := os.Open(place)
		if err != nil {
			if cause, is := errors.AsType[*os.PathError](err); is {
				return nil, cause.Err
			}
			return nil, err
		}
		defer f.Close() // only read from
		return readAtMost(f)
	}
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, place, nil)
	if err != nil {
		return nil, errors.New("not a URL")
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		if cause, is := errors.AsType[*url.Error](err); is {
			err = cause.Err
		}
		return nil, err
	}
	defer response.Body.Close() // only read from
	if response.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("the server says %s", response.Status)
	}
	return readAtMost(response.Body)
}

func readAtMost(r io.Reader) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxMetadata+1))
	if err == nil && len(text) > maxMetadata {
		err = fmt.Errorf("more than %d octets, which is no metadata of a service provider", maxMetadata)
	}
	return text, err
}

// introduceIdP says what to do next, in one write.
func introduceIdP(w io.Writer, idp *samltest.IdP, registered int) error {
	var b strings.Builder
	line := func(name, value string) { fmt.Fprintf(&b, "%-14s%s\n", name, value) }
	if title := idp.Personality.Title; title != "" {
		line("writes like", title)
	}
	home := idp.HomeURL()
	line("address", home)
	line("entity ID", idp.EntityID)
	line("metadata", idp.MetadataURL())
	line("sign-on", idp.SSOURL)
	if slo := idp.SLOURL(); slo != "" {
		line("logout", slo)
	}
	for _, user := range idp.Users() {
		line("user", fmt.Sprintf("%s, password %q", user.Name, user.Password))
	}
	switch registered {
	case 0:
		b.WriteString("\nNo service provider is registered: give -sp, or paste its metadata at the address above.")
	default:
		fmt.Fprintf(&b, "\nService providers registered: %d. More can be pasted at the address above.", registered)
	}
	if u, err := url.Parse(home); err == nil && !isLoopback(u.Hostname()) {
		b.WriteString("\nWhoever reaches this address can sign in: it is not of this machine alone.")
	}
	b.WriteString("\nCtrl-C ends it.\n")
	_, err := io.WriteString(w, b.String())
	return err
}

func isLoopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}
