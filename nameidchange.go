package saml

import (
	"context"
	"errors"
	"net/http"

	"github.com/logintrust/saml/internal/binding"
	"github.com/logintrust/saml/internal/wire"
)

// NameID management (SAML Core 3.6, Profiles 4.5): an identity provider tells us that it calls a user by another name from now
// on, or that it will not use a name any more. Its messages go the way of those of single logout, and are held against the same
// rules; logout.go has them.

// A NameIDChange is what an identity provider says of the name by which it knows one of its users.
type NameIDChange struct {
	// Domain is the login trust whose user this is; another's is never meant.
	Domain string
	// NameID is the name until now, as the request has it. SubjectKey stands for it as in LoginSession, and AccountKey as in
	// User.AccountKeys.
	NameID                 NameID
	SubjectKey, AccountKey string
	// Terminated says that the identity provider will not use the name any more: the link to the local account goes. Sessions
	// stay (erratum E8). What follows is then zero.
	Terminated bool
	// NewNameID is the name from now on: another value, the same format and qualifiers (erratum E12). NewSubjectKey and
	// NewAccountKey stand for it.
	NewNameID                    NameID
	NewSubjectKey, NewAccountKey string
}

// Rename is the session under the new name, and whether that is another: for the sessions that a host keeps, so that a logout in
// either direction finds them by the name that the identity provider knows now (erratum E55).
func (c NameIDChange) Rename(s LoginSession) (LoginSession, bool) {
	if c.Terminated || s.SubjectKey == "" || s.SubjectKey != c.SubjectKey || s.Domain != c.Domain {
		return s, false
	}
	s.NameID.Value, s.SubjectKey = c.NewNameID.Value, c.NewSubjectKey
	return s, true
}

// NameIDs keeps the names by which identity providers know the application's users: the host's.
type NameIDs interface {
	// ChangeNameID puts the new name in the place of the old one, in accounts and in sessions, or takes the link to the account
	// away. It must do all of that or nothing. found is false if nobody here has the name. A new name that is another account's is
	// an error: no two accounts become one. On an error, as without found, the identity provider is told that nothing has changed.
	// It is called concurrently, and at most once for each request.
	ChangeNameID(ctx context.Context, change NameIDChange) (found bool, err error)
}

// A NameIDAnswer is what an identity provider gets for its ManageNameIDRequest. It goes to the places of the login trust and
// nowhere else. All of URL, Action and SOAP are "" if there is no place for one.
type NameIDAnswer struct {
	// URL is where to send the browser by 303, for HTTP-Redirect.
	URL string
	// Action and Fields are the form that the browser is to post, for HTTP-POST.
	Action string
	Fields map[string]string
	// SOAP is the body of the answer to a message by SOAP.
	SOAP []byte

	// Domain is the login trust.
	Domain string
	// Refusal says why the answer reports a failure; nil if it reports success.
	Refusal *Error
}

// changeRules judge what a ManageNameIDRequest asks for, behind departureRules.
var changeRules = []logoutRule{
	{TransientSubject, "SAML Core 3.6 (erratum E14)", checkChangeLasting},
	{NoSubject, "SAML Core 3.6.1", checkChangeOpen},
	{BadSubject, "SAML Core 3.6.1", checkChangeName},
}

// checkChangeLasting: a transient name is given up anyhow.
func checkChangeLasting(d *departure) *mismatch {
	if d.request.NameID.Format == wire.FormatTransient {
		return &mismatch{found: "a transient NameID", wanted: "a lasting one"}
	}
	return nil
}

func checkChangeOpen(d *departure) *mismatch {
	if d.change.Sealed {
		return &mismatch{found: "a NewEncryptedID", wanted: "a key of ours to open it, or a NewID in clear"}
	}
	return nil
}

// checkChangeName: stricter than Core 3.6.1: a name that no login could have is not taken on.
func checkChangeName(d *departure) *mismatch {
	if d.change.Terminate || d.change.Sealed {
		return nil
	}
	if problem := unfitName(d.change.NewID); problem != "" {
		return &mismatch{found: problem, wanted: "a new name"}
	}
	return nil
}

// AnswerNameID acts upon an identity provider's ManageNameIDRequest, by Config.NameIDs, and makes the answer: the third rung of
// the API, without net/http. Only a request that a key of the trust signed, meant for us, gets an answer, which may report a
// failure; see NameIDAnswer.Refusal. Any other is an *Error. BrowserKey and SAMLResponse of the message mean nothing here: we
// ask for no changes, so there is nothing to be answered.
func (sp *ServiceProvider) AnswerNameID(ctx context.Context, m LogoutMessage) (*NameIDAnswer, error) {
	w := sp.readers.Get().(*workspace)
	defer sp.release(w)
	d, refused := sp.openLogout(ctx, w, wire.NameIDManagement, m)
	if refused == nil && d.request == nil {
		refused = refuse(BadRequest, "a ManageNameIDResponse", "a ManageNameIDRequest")
	}
	if refused != nil {
		return nil, refused.named()
	}
	answer := &NameIDAnswer{Domain: d.trust.Domain}
	if refused := sp.changeNameID(ctx, d); refused != nil {
		answer.Refusal = refused.of(d.trust).named()
	}
	code, below := answer.status()
	s, refused := sp.reply(d, code, below)
	if refused != nil {
		return nil, refused.of(d.trust).named()
	}
	answer.URL, answer.Action, answer.Fields, answer.SOAP = s.url, s.action, s.fields, s.soap
	return answer, nil
}

// named marks an error of NameID management, for the page that shows it.
func (e *Error) named() *Error {
	e.naming = true
	return e
}

// changeNameID does what the request asks for, if it may.
func (sp *ServiceProvider) changeNameID(ctx context.Context, d *departure) *Error {
	if refused := d.apply(sp.rules.departure); refused != nil {
		return refused
	}
	if refused := d.apply(sp.rules.change); refused != nil {
		return refused
	}
	return sp.once(ctx, d, func(ctx context.Context) *Error { return sp.tellChange(ctx, d) })
}

// tellChange tells the host.
func (sp *ServiceProvider) tellChange(ctx context.Context, d *departure) *Error {
	found, err := sp.config.NameIDs.ChangeNameID(ctx, d.nameIDChange(sp.config.EntityID))
	switch {
	case err != nil:
		return hostFailed("the host's names", err)
	case !found:
		e := refuse(InvalidUser, "a name that nobody here has", "one of a user of the login trust")
		e.Spec = "SAML Core 3.6.3"
		return e
	}
	return nil
}

// nameIDChange is what the request says.
func (d *departure) nameIDChange(sp string) NameIDChange {
	account := func(n wire.NameID) string {
		return accountKey(d.trust, Subject{Issuer: d.signed.Value, NameID: newNameID(n), SPEntityID: sp})
	}
	old := d.request.NameID
	c := NameIDChange{Domain: d.trust.Domain, NameID: NameID(old), SubjectKey: d.subjectKey(sp), AccountKey: account(old), Terminated: d.change.Terminate}
	if c.Terminated {
		return c
	}
	renamed := old
	renamed.Value = d.change.NewID
	c.NewNameID, c.NewAccountKey = NameID(renamed), account(renamed)
	c.NewSubjectKey = subjectKey(sp, d.trust.Domain, d.signed.Value, renamed)
	return c
}

// status says what became of a request (SAML Core 3.2.2.2, 3.6.3).
func (a *NameIDAnswer) status() (code, below string) {
	if a.Refusal == nil {
		return wire.StatusSuccess, ""
	}
	switch a.Refusal.Reason {
	case WrongVersion:
		return StatusVersionMismatch, ""
	case InvalidUser:
		return StatusRequester, StatusUnknownPrincipal
	case NoSubject, TransientSubject:
		return StatusRequester, StatusRequestUnsupported
	case StoreFailed:
		return StatusResponder, ""
	}
	return StatusRequester, ""
}

// ReceiveNameID answers a message of NameID management that comes to NameIDURL, by any binding: the second rung of the API. It
// returns ErrAnswered when it has; on any other error, which is an *Error, the host answers with WriteError.
func (sp *ServiceProvider) ReceiveNameID(w http.ResponseWriter, r *http.Request) error {
	m, _, refused := sp.readLogoutHTTP(w, r)
	if refused != nil {
		return refused.named()
	}
	answer, err := sp.AnswerNameID(r.Context(), m)
	if m.SOAP != nil {
		var body []byte
		if err == nil {
			body, refused = answer.SOAP, answer.Refusal
		}
		return sp.writeSOAP(w, r, body, refused, err)
	}
	if err != nil {
		return err
	}
	return sp.writeNameIDAnswer(w, r, answer)
}

// writeNameIDAnswer sends the browser back to the identity provider with the answer, or says what happened where there is no
// place for one.
func (sp *ServiceProvider) writeNameIDAnswer(w http.ResponseWriter, r *http.Request, answer *NameIDAnswer) error {
	if answer.URL == "" && answer.Action == "" {
		if answer.Refusal != nil {
			return answer.Refusal
		}
		binding.NoStore(w.Header())
		w.WriteHeader(http.StatusNoContent)
		return ErrAnswered
	}
	if answer.Refusal != nil {
		sp.report(r, answer.Refusal)
	}
	s := sent{url: answer.URL, action: answer.Action, fields: answer.Fields}
	if err := sp.write(w, s, origin(answer.Action)); err != nil {
		return err
	}
	return ErrAnswered
}

func (sp *ServiceProvider) serveNameID(w http.ResponseWriter, r *http.Request) {
	if err := sp.ReceiveNameID(w, r); !errors.Is(err, ErrAnswered) {
		sp.WriteError(w, r, err)
	}
}
