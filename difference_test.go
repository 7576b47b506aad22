package saml_test

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/json"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
	"github.com/logintrust/saml/samltest"
)

func kinds(list []saml.Difference) (kinds []saml.DifferenceKind) {
	for _, d := range list {
		kinds = append(kinds, d.Kind)
	}
	return kinds
}

func proposalOf(t testing.TB, xml string) saml.Proposal {
	t.Helper()
	p, err := saml.ProposeTrust([]byte(xml), saml.ImportOptions{}, now)
	require.NoError(t, err)
	return p
}

// A rollover from beginning to end: at every step a login by the key that the identity provider uses works, and what the
// administrator set by hand stays.
//
// req: IIP-MD07 LT-01 LT-40
func TestRolloverByMetadata(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	old, next := w.idp, idpNamed(t, "rollover-next")
	xml := func(certificates ...[]byte) string {
		var keys string
		for _, c := range certificates {
			keys += keyDescriptor(` use="signing"`, c)
		}
		return entity(old.EntityID, saml2, keys+sso(redirect, old.SSOURL))
	}
	trust := proposalOf(t, xml(old.Certificate())).Trust
	trust.State, trust.Description, trust.AllowIdPInitiated, trust.EmailDomains = saml.Active, "Our Clinic", true, []string{"a.example"}
	trust.LinkOnLoginPage, trust.Product, trust.Scopes = false, saml.Keycloak, []string{"a.example"}
	list, err := trust.Compare(proposalOf(t, xml(old.Certificate())))
	require.NoError(t, err)
	assert.Empty(t, list, "identical: nothing to save")

	logsIn := func(by *samltest.IdP, fails ...saml.Reason) {
		t.Helper()
		w.trusts.Set(trust)
		login, err := w.login(func(a *samltest.Answer) { a.Seal = by.Seal() })
		if len(fails) > 0 {
			refused(t, fails[0], login, err)
			return
		}
		accepted(t, login, err)
	}
	logsIn(old)
	logsIn(next, saml.NoKeyOnFile)

	// The metadata has both keys: one to add, none to remove.
	list, err = trust.Compare(proposalOf(t, xml(next.Certificate(), old.Certificate())))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.AddKey}, kinds(list))
	both, err := list[0].Apply(trust)
	require.NoError(t, err)
	assert.Len(t, both.Keys, 2)
	assert.Len(t, trust.Keys, 1, "the trust that was compared stays as it is")

	// Only the new one is left. Whoever removes first is told to add first.
	list, err = trust.Compare(proposalOf(t, xml(next.Certificate())))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.AddKey, saml.RemoveKey}, kinds(list))
	_, err = list[1].Apply(trust)
	require.ErrorContains(t, err, "last key; add the new one first")
	trust, err = list[0].Apply(trust)
	require.NoError(t, err)
	_, err = list[0].Apply(trust)
	require.ErrorContains(t, err, "compare again", "twice is once too often")
	logsIn(old)
	logsIn(next)
	again, err := trust.Compare(proposalOf(t, xml(next.Certificate())))
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.RemoveKey}, kinds(again))
	assert.Equal(t, list[1].ID(), again[0].ID(), "the same decision")
	trust, err = list[1].Apply(trust)
	require.NoError(t, err)
	require.Len(t, trust.Keys, 1)
	assert.True(t, trust.Keys[0].Equal(pinned(t, next.Certificate())))
	_, err = list[1].Apply(trust)
	require.ErrorContains(t, err, "compare again")

	logsIn(next)
	logsIn(old, saml.NoKeyOnFile)

	assert.Equal(t, "Our Clinic", trust.Description)
	assert.Equal(t, saml.Active, trust.State)
	assert.True(t, trust.AllowIdPInitiated)
	assert.False(t, trust.LinkOnLoginPage)
	assert.Equal(t, saml.Keycloak, trust.Product)
	assert.Equal(t, []string{"a.example"}, trust.EmailDomains)
	assert.Equal(t, []string{"a.example"}, trust.Scopes)
}

func TestRenewedCertificate(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	require.NoError(t, err)
	var wrapping []saml.PublicKey
	for i := range 3 {
		wrapping = append(wrapping, certificateOf(t, key, x509.Certificate{SerialNumber: big.NewInt(int64(i + 1)), NotAfter: now.Add(time.Duration(i) * time.Hour)}))
	}
	bare, err := saml.NewPublicKey(key.Public())
	require.NoError(t, err)
	other := pinned(t, idpNamed(t, "other").Certificate())
	for _, c := range []struct {
		name       string
		have, want []saml.PublicKey
		kinds      []saml.DifferenceKind
	}{
		{"the same", wrapping[:1], wrapping[:1], nil},
		{"renewed", wrapping[:1], wrapping[1:2], []saml.DifferenceKind{saml.RenewCertificate}},
		{"a bare key gets a certificate", []saml.PublicKey{bare}, wrapping[:1], []saml.DifferenceKind{saml.RenewCertificate}},
		{"a certificate does not get lost", wrapping[:1], []saml.PublicKey{bare}, nil},
		{"old and new", wrapping[:1], wrapping[:2], nil},
		{"one of two goes", wrapping[:2], wrapping[:1], nil},
		{"two become one", wrapping[:2], wrapping[2:], []saml.DifferenceKind{saml.RenewCertificate}},
		{"one becomes two", wrapping[2:], wrapping[:2], []saml.DifferenceKind{saml.RenewCertificate}},
		{"renewed beside another", []saml.PublicKey{other, wrapping[0]}, []saml.PublicKey{wrapping[1], other}, []saml.DifferenceKind{saml.RenewCertificate}},
		{"a new key in two certificates", []saml.PublicKey{other}, append([]saml.PublicKey{other}, wrapping[:2]...), []saml.DifferenceKind{saml.AddKey}},
	} {
		trust := saml.LoginTrust{Domain: "https://one", Description: "One", Keys: c.have, LoginURL: "https://idp/r"}
		list, err := trust.Compare(saml.Proposal{Trust: saml.LoginTrust{Domain: "https://one", Keys: c.want, LoginURL: "https://idp/r"}})
		require.NoError(t, err)
		assert.Equal(t, c.kinds, kinds(list), c.name)
		for _, d := range list {
			after, err := d.Apply(trust)
			require.NoError(t, err, c.name)
			if d.Kind == saml.RenewCertificate {
				assert.Len(t, after.Keys, len(trust.Keys))
				assert.True(t, slices.ContainsFunc(after.Keys, func(k saml.PublicKey) bool { return k.CertificateSerial() == d.NewKey.CertificateSerial() }))
				assert.NotEqual(t, d.OldKey.CertificateSerial(), d.NewKey.CertificateSerial())
				assert.Equal(t, d.Have, d.Want, "the same key")
			}
		}
	}
}

// Each field is a decision of its own, travels as JSON, and is applied to what it was made for only.
func TestDifferences(t *testing.T) {
	t.Parallel()
	idp := idpNamed(t, "idp")
	trust := saml.LoginTrust{Domain: "https://one", Description: "One", Keys: []saml.PublicKey{pinned(t, idp.Certificate())}, LoginURL: "https://idp/old", LoginPostURL: "https://idp/p",
		LogoutURL: "https://idp/out", SLOURL: "https://idp/slo", SLOResponseURL: "https://idp/slo/r", ErrorURL: "https://idp/help", State: saml.Active, SAML: true}
	proposed := trust
	proposed.LoginURL, proposed.LoginPostURL, proposed.LogoutURL, proposed.ErrorURL, proposed.WantRequestsSigned = "https://idp/new", "", "", "", true
	proposed.Scopes, proposed.State, proposed.SAML = []string{"b.example", "a.example"}, saml.Provisional, false
	list, err := trust.Compare(saml.Proposal{Trust: proposed})
	require.NoError(t, err)
	assert.Equal(t, []saml.DifferenceKind{saml.ChangeLoginURL, saml.ChangeLoginPostURL, saml.ChangeWantRequestsSigned}, kinds(list), "what an import does not know is not taken away")
	proposed.LogoutURL, proposed.ErrorURL = "https://idp/out2", "https://idp/help2"
	proposed.SLOURL, proposed.SLOResponseURL, proposed.SLOPostURL, proposed.SLOPostResponseURL = "", "", "https://idp/slo2", "https://idp/slo2/r"
	list, err = trust.Compare(saml.Proposal{Trust: proposed, Verified: true})
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.ChangeLoginURL, saml.ChangeLoginPostURL, saml.ChangeLogoutURL, saml.ChangeSLOURL, saml.ChangeSLOPostURL,
		saml.ChangeSLOResponseURL, saml.ChangeSLOPostResponseURL, saml.ChangeErrorURL, saml.ChangeWantRequestsSigned, saml.ChangeScopes}, kinds(list))
	ids := map[string]bool{}
	after := trust
	for _, d := range list {
		ids[d.ID()] = true
		b, err := json.Marshal(d)
		require.NoError(t, err)
		var again saml.Difference
		require.NoError(t, json.Unmarshal(b, &again))
		assert.Equal(t, d.ID(), again.ID())
		after, err = again.Apply(after)
		require.NoError(t, err, d.Kind)
		_, err = d.Apply(after)
		require.ErrorContains(t, err, "compare again", d.Kind)
	}
	assert.Len(t, ids, len(list))
	proposed.State, proposed.SAML, proposed.Scopes = saml.Active, true, []string{"a.example", "b.example"}
	assert.Equal(t, proposed, after)

	// The last place to sign in does not go before the new one is there.
	moved := saml.LoginTrust{Domain: "https://one", Description: "One", Keys: trust.Keys, LoginURL: "https://idp/r"}
	list, err = moved.Compare(saml.Proposal{Trust: saml.LoginTrust{Domain: "https://one", Keys: trust.Keys, LoginPostURL: "https://idp/p"}})
	require.NoError(t, err)
	require.Len(t, list, 2)
	_, err = list[0].Apply(moved)
	require.ErrorContains(t, err, "last place to sign in")
	moved, err = list[1].Apply(moved)
	require.NoError(t, err)
	_, err = list[0].Apply(moved)
	require.NoError(t, err)

	for domain, says := range map[string]string{"https://two": "another identity provider", "https://one/": "differ by a slash", "https://ONE": "capital letters", "": "another"} {
		other := proposed
		other.Domain = domain
		list, err := trust.Compare(saml.Proposal{Trust: other})
		require.ErrorIs(t, err, saml.ErrOtherEntity)
		require.ErrorContains(t, err, says)
		assert.Nil(t, list)
	}
	_, err = trust.Compare(saml.Proposal{Trust: saml.LoginTrust{Domain: trust.Domain}})
	require.ErrorContains(t, err, "without keys")
	for _, d := range []saml.Difference{{}, {Kind: "x"}, {Kind: saml.AddKey}, {Kind: saml.AddKey, NewKey: &saml.PublicKey{}}, {Kind: saml.RemoveKey}, {Kind: saml.RenewCertificate},
		{Kind: saml.RemoveKey, OldKey: &saml.PublicKey{}}, {Kind: saml.RenewCertificate, OldKey: &saml.PublicKey{}, NewKey: &saml.PublicKey{}},
		{Kind: saml.ChangeLoginURL, Have: trust.LoginURL, Want: "javascript:alert(1)"}, {Kind: saml.ChangeLoginURL, Have: trust.LoginURL, Want: "http://idp"}} {
		changed, err := d.Apply(trust)
		require.Error(t, err, "%v", d)
		assert.Zero(t, changed)
	}
}

func TestNeverMoreThanEightKeys(t *testing.T) {
	t.Parallel()
	trust := saml.LoginTrust{Domain: "https://one", Description: "One", LoginURL: "https://idp/r"}
	for i := range 8 {
		trust.Keys = append(trust.Keys, pinned(t, idpNamed(t, fmt.Sprint("key", i)).Certificate()))
	}
	ninth := pinned(t, idpNamed(t, "key8").Certificate())
	list, err := trust.Compare(saml.Proposal{Trust: saml.LoginTrust{Domain: "https://one", LoginURL: "https://idp/r", Keys: append([]saml.PublicKey{ninth}, trust.Keys[1:]...)}})
	require.NoError(t, err)
	require.Equal(t, []saml.DifferenceKind{saml.AddKey, saml.RemoveKey}, kinds(list))
	_, err = list[0].Apply(trust)
	require.ErrorContains(t, err, "at most 8 keys; remove one")
	trust, err = list[1].Apply(trust)
	require.NoError(t, err)
	trust, err = list[0].Apply(trust)
	require.NoError(t, err)
	assert.Len(t, trust.Keys, 8)
	assert.False(t, strings.Contains(trust.Keys[7].SHA256(), trust.Keys[0].SHA256()))
}

// Where artifacts are resolved is compared, too: an old address takes none any more.
func TestCompareArtifactServices(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	xml := func(services ...string) string {
		inner := keyDescriptor(` use="signing"`, w.idp.Certificate())
		for i, url := range services {
			inner += fmt.Sprintf(`<md:ArtifactResolutionService Binding="urn:oasis:names:tc:SAML:2.0:bindings:SOAP" Location="%s" index="%d"/>`, url, i)
		}
		return entity(w.idp.EntityID, saml2, inner+sso(redirect, w.idp.SSOURL))
	}
	old := proposalOf(t, xml("https://old.example.com/ars")).Trust
	same, err := old.Compare(proposalOf(t, xml("https://old.example.com/ars")))
	require.NoError(t, err)
	assert.Empty(t, same)
	for _, services := range [][]string{{"https://new.example.com/ars", "https://second.example.com/ars"}, {}} {
		p := proposalOf(t, xml(services...))
		list, err := old.Compare(p)
		require.NoError(t, err)
		require.Len(t, list, 1)
		assert.Equal(t, saml.ChangeArtifactServices, list[0].Kind)
		changed, err := list[0].Apply(old)
		require.NoError(t, err)
		assert.Equal(t, p.Trust.ArtifactServices, changed.ArtifactServices)
		_, err = list[0].Apply(changed)
		require.Error(t, err, "it is carried out")
	}
	for _, bad := range []string{"0", "x https://a", "70000 https://a"} {
		_, err := saml.Difference{Kind: saml.ChangeArtifactServices, Have: "0 https://old.example.com/ars", Want: bad}.Apply(old)
		require.Error(t, err, bad)
	}
}

// Metadata cannot be judged without a time: the zero time would take all that has run out.
func TestMetadataWithoutTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	xml := []byte(entity(w.idp.EntityID, saml2, keyDescriptor("", w.idp.Certificate())+sso(redirect, w.idp.SSOURL)))
	_, err := saml.ProposeTrust(xml, saml.ImportOptions{}, time.Time{})
	require.ErrorContains(t, err, "time")
	_, err = saml.TrustFromMetadata(xml, "", time.Time{})
	require.ErrorContains(t, err, "time")
	_, err = saml.Candidates(xml, saml.ImportOptions{}, time.Time{})
	require.ErrorContains(t, err, "time")
}

// A key and a decision about one show as what an administrator compares.
func TestDifferenceString(t *testing.T) {
	t.Parallel()
	idp, next := idpNamed(t, "idp"), idpNamed(t, "next")
	key, added := pinned(t, idp.Certificate()), pinned(t, next.Certificate())
	from, to := key.CertificateDates()
	assert.Equal(t, "key with SHA-256 "+key.SHA256()+", certificate with SHA-256 "+key.CertificateSHA256()+", valid from "+
		from.Format(time.DateOnly)+" to "+to.Format(time.DateOnly), key.String())
	public, err := x509.ParsePKIXPublicKey(added.SPKI())
	require.NoError(t, err)
	bare, err := saml.NewPublicKey(public)
	require.NoError(t, err)
	assert.Equal(t, "key with SHA-256 "+added.SHA256(), bare.String())
	assert.Equal(t, "key with SHA-256 none", saml.PublicKey{}.String())
	assert.Equal(t, "[key with SHA-256 "+added.SHA256()+"]", fmt.Sprint(saml.LoginTrust{Keys: []saml.PublicKey{bare}}.Keys))

	trust := saml.LoginTrust{Domain: "https://one", Keys: []saml.PublicKey{key}, LoginURL: "https://idp/old"}
	list, err := trust.Compare(saml.Proposal{Trust: saml.LoginTrust{Domain: "https://one", Keys: []saml.PublicKey{bare}, LoginURL: "https://idp/\x1b[2J"}})
	require.NoError(t, err)
	var lines []string
	for _, d := range list {
		lines = append(lines, d.String())
	}
	assert.Equal(t, []string{"add_key: added " + bare.String(), `change_login_url: https://idp/old → "https://idp/\x1b[2J"`, "remove_key: removed " + key.String()}, lines)
}
