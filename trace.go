package saml

import (
	"bytes"
	"context"
	"crypto/ecdh"
	"crypto/hpke"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/logintrust/saml/internal/advice"
)

// Report says how the refused login met each check, without personal data: what Explain says, with how it really ended. It
// is made when it is asked for, and costs about as much as the login; ask in OnRefusal, while the trust is as it was. For
// what was no login by POST, such as a logout or an artifact, it says no more than the Error does. It may be called
// concurrently.
func (e *Error) Report(ctx context.Context) *Report {
	if e.seen == nil {
		return e.bareReport()
	}
	sp, posted, now := e.seen()
	if posted.Artifact != "" {
		return e.bareReport()
	}
	x := &explanation{sp: sp, posted: posted, now: now, known: e}
	return x.run(ctx)
}

func (e *Error) bareReport() *Report {
	what := "login"
	if e.logout {
		what = "logout"
	}
	r := &Report{Reason: e.Reason, Domain: e.Domain, Product: advice.Recognise(advice.Facts{Issuer: e.Domain}), Checks: []Check{failedCheck(what, e)}}
	if e.seen != nil {
		_, _, r.Time = e.seen()
	}
	r.advise()
	return r
}

// A caseRecord is a refused login as docs/cases.md has it: what logintrust replay and a Go test judge again, by its own clock.
type caseRecord struct {
	Name         string     `json:"name"`
	Description  string     `json:"description,omitempty"`
	Now          string     `json:"now"`
	SP           caseSP     `json:"sp"`
	IdPEntityID  string     `json:"idpEntityID"`
	Trust        LoginTrust `json:"trust"`
	RequestID    string     `json:"requestID"`
	RequestedAt  string     `json:"requestedAt,omitempty"` // while the request waits
	SAMLResponse string     `json:"samlResponse"`
	RelayState   string     `json:"relayState,omitempty"`
	Expect       string     `json:"expect,omitempty"`
	Reason       Reason     `json:"reason"`
}

type caseSP struct {
	EntityID               string   `json:"entityID"`
	ACSURL                 string   `json:"acsURL"`
	ClockSkewSeconds       float64  `json:"clockSkewSeconds"`
	RelayStateAllowedHosts []string `json:"relayStateAllowedHosts,omitempty"`
}

// ErrNoCase says that a refusal cannot be written down: it was no login by POST at a login trust.
const ErrNoCase = sentinel("saml: this refusal cannot be written down as a case")

// UnsealedCase writes the refused login down: one line of JSON that logintrust replay and logintrust explain judge again, by
// its own clock and with the keys of its trust. It holds the whole message, and so personal data in clear: use SealedCase
// unless the user has agreed. It holds no key of ours, so what is encrypted cannot be opened again without; and no store or
// directory, so that a refusal which came from there is described rather than repeated. Any other refusal is ErrNoCase.
func (e *Error) UnsealedCase(ctx context.Context) ([]byte, error) {
	if e.seen == nil {
		return nil, ErrNoCase
	}
	sp, posted, now := e.seen()
	trust, found, err := sp.config.Trusts.FindTrust(ctx, e.Domain)
	switch {
	case err != nil:
		return nil, fmt.Errorf("saml: %w", err)
	case !found || e.Domain == "" || posted.Artifact != "", posted.PAOS != nil:
		return nil, ErrNoCase
	}
	c := caseRecord{Name: "refused " + stamp(now), Now: now.UTC().Format(time.RFC3339Nano), IdPEntityID: trust.Domain, Trust: trust,
		SP: caseSP{EntityID: sp.config.EntityID, ACSURL: sp.config.ACSURL, ClockSkewSeconds: sp.config.ClockSkew.Seconds(),
			RelayStateAllowedHosts: sp.config.RelayStateHosts},
		SAMLResponse: posted.SAMLResponse, RelayState: posted.RelayState, Reason: e.Reason}
	if !slices.Contains([]Reason{UnknownRequest, Replayed}, e.Reason) && isID(e.answers) {
		c.RequestID = e.answers
		if p, err := sp.findPending(ctx, sp.pendingKey(trust.Domain, c.RequestID)); err == nil && p != nil {
			c.RequestedAt = p.issued.Format(time.RFC3339Nano)
		}
	}
	if e.isRepeatable(sp) {
		c.Expect = "reject"
	} else {
		c.Description = "The refusal came from the state of the application, which a case does not hold."
	}
	var line bytes.Buffer
	enc := json.NewEncoder(&line)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(c); err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	return line.Bytes(), nil
}

// isRepeatable reports whether a refusal follows from the message, the trust and the clock alone.
func (e *Error) isRepeatable(sp *ServiceProvider) bool {
	switch e.Reason {
	case UnknownRequest, UnsolicitedNotAllowed:
		return e.stage == stageRequest
	case SSODisabled, StoreFailed:
		return false
	case WeakAlgorithm, UnsupportedAlgorithm:
		return sp.admitted == nil // or it may be the host who does not admit it
	}
	return e.stage == ""
}

// A sealedCase is a case that only the holder of a private key reads.
type sealedCase struct {
	Sealed string `json:"sealed"` // the suite
	Key    string `json:"key"`    // hex SHA-256 of the public key's octets, so that its holder finds it
	Case   []byte `json:"case"`   // encapsulated key and ciphertext (RFC 9180, 6.1)
}

// caseInfo binds what is sealed to its purpose (RFC 9180, 5.1).
const caseInfo = "github.com/logintrust/saml case 1"

// SealedCase is UnsealedCase encrypted for the holder of a key, such as the administrator who looks into refused logins, by
// HPKE (RFC 9180): one line of JSON that OpenCase, logintrust explain and logintrust unseal open with the private key. The key
// is on P-256, P-384, P-521 or X25519.
func (e *Error) SealedCase(ctx context.Context, key *ecdh.PublicKey) ([]byte, error) {
	plain, err := e.UnsealedCase(ctx)
	if err != nil {
		return nil, err
	}
	if key == nil {
		return nil, errors.New("saml: a case is sealed for a key")
	}
	public, err := hpke.NewDHKEMPublicKey(key)
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	sealed, err := hpke.Seal(public, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(caseInfo), plain)
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	line, err := json.Marshal(sealedCase{Sealed: caseSuite, Key: caseKeyID(key), Case: sealed})
	return append(line, '\n'), err
}

const caseSuite = "HPKE HKDF-SHA256 AES-256-GCM"

func caseKeyID(key *ecdh.PublicKey) string {
	sum := sha256.Sum256(key.Bytes())
	return hex.EncodeToString(sum[:])
}

// IsSealedCase reports whether a line of JSON is what SealedCase writes.
func IsSealedCase(line []byte) bool {
	var s sealedCase
	return json.Unmarshal(line, &s) == nil && s.Sealed != ""
}

// OpenCase opens what SealedCase has sealed, with the private key that belongs to its key; the result is what UnsealedCase
// writes.
func OpenCase(line []byte, key ecdh.KeyExchanger) ([]byte, error) {
	var s sealedCase
	if err := json.Unmarshal(line, &s); err != nil || s.Sealed != caseSuite {
		return nil, errors.New("saml: not a sealed case of this version")
	}
	if key == nil || s.Key != caseKeyID(key.PublicKey()) {
		return nil, errors.New("saml: the case is sealed for another key")
	}
	private, err := hpke.NewDHKEMPrivateKey(key)
	if err != nil {
		return nil, fmt.Errorf("saml: %w", err)
	}
	plain, err := hpke.Open(private, hpke.HKDFSHA256(), hpke.AES256GCM(), []byte(caseInfo), s.Case)
	if err != nil {
		return nil, errors.New("saml: the case was changed, or is sealed for another key")
	}
	return plain, nil
}
