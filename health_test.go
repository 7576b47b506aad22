package saml_test

import (
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml"
)

// ending is a key of ours whose certificate ends after that time.
func ending(t *testing.T, left time.Duration) saml.KeyPair {
	t.Helper()
	pair := ownKeys()["p256"]
	template := &x509.Certificate{SerialNumber: big.NewInt(1), NotBefore: now.AddDate(-1, 0, 0), NotAfter: now.Add(left).UTC().Truncate(time.Second)}
	var err error
	pair.Certificate, err = x509.CreateCertificate(rand.Reader, template, template, pair.Signer.Public(), pair.Signer)
	require.NoError(t, err)
	return pair
}

func endingKey(t *testing.T, left time.Duration) saml.PublicKey {
	t.Helper()
	key, err := saml.ParsePublicKey(pemText("CERTIFICATE", ending(t, left).Certificate))
	require.NoError(t, err)
	return key
}

const aDay = 24 * time.Hour

func health(t *testing.T, change func(*saml.Config), trusts ...saml.LoginTrust) saml.Health {
	t.Helper()
	c := saml.Config{BaseURL: "https://sp.example.com", Trusts: saml.NewMemoryTrusts(), State: saml.NewMemoryState(), Now: func() time.Time { return now.AddDate(-5, 0, 0) }}
	change(&c)
	sp, err := saml.New(c)
	require.NoError(t, err)
	return sp.Health(now, trusts...)
}

func TestHealthOfOurs(t *testing.T) {
	t.Parallel()
	nothing := health(t, func(*saml.Config) {})
	assert.Equal(t, saml.Health{At: now.UTC(), Severity: saml.HealthOK, Items: []saml.HealthItem{}}, nothing)
	bare := health(t, func(c *saml.Config) { c.SigningKeys = keyList("rsa2048") })
	assert.Empty(t, bare.Items, "a bare key never ends")
	for _, c := range []struct {
		left     time.Duration
		severity saml.Severity
		days     int
	}{
		{91 * aDay, saml.HealthOK, 90}, {90*aDay + time.Minute, saml.HealthOK, 90}, {90*aDay - time.Minute, saml.HealthNotice, 89}, {30*aDay + time.Minute, saml.HealthNotice, 30},
		{30*aDay - time.Minute, saml.HealthWarning, 29}, {7*aDay + time.Minute, saml.HealthWarning, 7}, {7*aDay - time.Minute, saml.HealthCritical, 6},
		{time.Minute, saml.HealthCritical, 0}, {-time.Minute, saml.HealthCritical, -1}, {-25 * time.Hour, saml.HealthCritical, -2},
	} {
		h := health(t, func(c2 *saml.Config) { c2.SigningKeys = []saml.KeyPair{ending(t, c.left)} })
		require.Len(t, h.Items, 1)
		item := h.Items[0]
		assert.Equal(t, []any{c.severity, c.severity, c.days, saml.HealthSigningKey}, []any{h.Severity, item.Severity, item.DaysLeft, item.Kind}, c.left)
		assert.Equal(t, now.Add(c.left).UTC().Truncate(time.Second), item.Ends)
		assert.Len(t, item.KeySHA256, 64)
		assert.Len(t, item.CertificateSHA256, 64)
		assert.Empty(t, item.Domain)

		key, err := saml.GenerateKey(saml.P256)
		require.NoError(t, err)
		template := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: now.Add(c.left)}
		certificate, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
		require.NoError(t, err)
		h = health(t, func(c *saml.Config) { c.DecryptionKeys = []saml.DecryptionKey{{Key: key, Certificate: certificate}} })
		assert.Equal(t, []any{c.severity, saml.HealthDecryptionKey}, []any{h.Severity, h.Items[0].Kind})

		h = health(t, func(c2 *saml.Config) { c2.Metadata.ValidUntil = now.Add(c.left).Truncate(time.Second) })
		assert.Equal(t, []any{c.severity, saml.HealthMetadata, c.days, ""}, []any{h.Severity, h.Items[0].Kind, h.Items[0].DaysLeft, h.Items[0].KeySHA256})
	}
	h := health(t, func(c *saml.Config) {
		old := ending(t, -time.Hour)
		old.PublishOnly = true
		c.SigningKeys = []saml.KeyPair{ending(t, 20*aDay), old, ending(t, 1000*aDay)}
		c.Metadata.ValidUntil = now.Add(3 * aDay)
	})
	var got []any
	for _, item := range h.Items {
		got = append(got, item.Severity, item.DaysLeft)
	}
	assert.Equal(t, []any{saml.HealthCritical, 3, saml.HealthWarning, 19, saml.HealthNotice, -1, saml.HealthOK, 999}, got, "the gravest first")
}

func TestHealthOfTrusts(t *testing.T) {
	t.Parallel()
	trust := func(state saml.TrustState, left ...time.Duration) saml.LoginTrust {
		list := saml.LoginTrust{Domain: "https://idp.example.com/", State: state}
		for _, l := range left {
			list.Keys = append(list.Keys, endingKey(t, l))
		}
		return list
	}
	for _, c := range []struct {
		name  string
		trust saml.LoginTrust
		want  []saml.Severity
	}{
		{"none", trust(saml.Active), nil},
		{"fresh", trust(saml.Active, 400*aDay), []saml.Severity{saml.HealthOK}},
		{"soon", trust(saml.Active, 60*aDay), []saml.Severity{saml.HealthNotice}},
		{"very soon", trust(saml.Active, aDay), []saml.Severity{saml.HealthWarning}},
		{"expired: logins go on", trust(saml.Active, -aDay), []saml.Severity{saml.HealthWarning}},
		{"the new one is there", trust(saml.Active, -aDay, 400*aDay), []saml.Severity{saml.HealthNotice, saml.HealthOK}},
		{"the new one ends soon too", trust(saml.Active, -aDay, 10*aDay), []saml.Severity{saml.HealthWarning, saml.HealthWarning}},
		{"inactive", trust(saml.Inactive, -aDay), []saml.Severity{saml.HealthNotice}},
		{"provisional", trust(saml.Provisional, aDay), []saml.Severity{saml.HealthNotice}},
	} {
		h := health(t, func(*saml.Config) {}, c.trust)
		var got []saml.Severity
		for _, item := range h.Items {
			got = append(got, item.Severity)
			assert.Equal(t, saml.HealthTrustKey, item.Kind)
			assert.Equal(t, c.trust.Domain, item.Domain)
			assert.Contains(t, item.Text, c.trust.Domain)
		}
		assert.Equal(t, c.want, got, c.name)
	}
	bare, err := saml.NewPublicKey(ownKeys()["p256"].Signer.Public())
	require.NoError(t, err)
	assert.Empty(t, health(t, func(*saml.Config) {}, saml.LoginTrust{Keys: []saml.PublicKey{bare, {}}}).Items)
}

// Of the keys that we encrypt to, the first is used, and only if names go encrypted.
func TestHealthOfEncryptionKeys(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name     string
		state    saml.TrustState
		left     []time.Duration
		encrypts bool
		want     []saml.Severity
	}{
		{"none", saml.Active, nil, true, nil},
		{"not used", saml.Active, []time.Duration{-aDay}, false, nil},
		{"fresh", saml.Active, []time.Duration{400 * aDay}, true, []saml.Severity{saml.HealthOK}},
		{"soon", saml.Active, []time.Duration{60 * aDay}, true, []saml.Severity{saml.HealthNotice}},
		{"expired", saml.Active, []time.Duration{-aDay}, true, []saml.Severity{saml.HealthWarning}},
		{"the new one is not used", saml.Active, []time.Duration{-aDay, 400 * aDay}, true, []saml.Severity{saml.HealthWarning}},
		{"the old one is not used", saml.Active, []time.Duration{400 * aDay, -aDay}, true, []saml.Severity{saml.HealthOK}},
		{"inactive", saml.Inactive, []time.Duration{-aDay}, true, []saml.Severity{saml.HealthNotice}},
	} {
		trust := saml.LoginTrust{Domain: "https://idp.example.com/", State: c.state, EncryptNameID: c.encrypts}
		for _, l := range c.left {
			trust.EncryptionKeys = append(trust.EncryptionKeys, endingKey(t, l))
		}
		var got []saml.Severity
		for _, item := range health(t, func(*saml.Config) {}, trust).Items {
			got = append(got, item.Severity)
			assert.Equal(t, saml.HealthTrustEncryptionKey, item.Kind, c.name)
			assert.Contains(t, item.Text, `we encrypt to for "https://idp.example.com/"`)
			assert.Equal(t, trust.EncryptionKeys[0].SHA256(), item.KeySHA256)
		}
		assert.Equal(t, c.want, got, c.name)
	}
	bare, err := saml.NewPublicKey(ownKeys()["p256"].Signer.Public())
	require.NoError(t, err)
	assert.Empty(t, health(t, func(*saml.Config) {}, saml.LoginTrust{EncryptNameID: true, EncryptionKeys: []saml.PublicKey{bare}}).Items)
}

func TestHealthJSON(t *testing.T) {
	t.Parallel()
	h := health(t, func(c *saml.Config) { c.SigningKeys = []saml.KeyPair{ending(t, 20*aDay)} }, saml.LoginTrust{Domain: "https://idp.example.com/", State: saml.Active, Keys: []saml.PublicKey{endingKey(t, -aDay)}})
	text, err := json.Marshal(h)
	require.NoError(t, err)
	var again saml.Health
	require.NoError(t, json.Unmarshal(text, &again))
	assert.Equal(t, h, again)
	assert.Contains(t, string(text), `"severity":"warning","items":[{"kind":"trust_key","severity":"warning","domain":"https://idp.example.com/","keySHA256":"`)
	assert.Contains(t, string(text), `"daysLeft":-2,"text":"The certificate of a key of \"https://idp.example.com/\" expired on 13 March 2026`)
	text, err = json.Marshal(health(t, func(*saml.Config) {}))
	require.NoError(t, err)
	assert.Contains(t, string(text), `"severity":"ok","items":[]}`)
}
