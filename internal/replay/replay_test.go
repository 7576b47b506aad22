package replay_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/replay"
	"github.com/logintrust/saml/samltest"
)

// good is the line of a case that is accepted, after change has edited its JSON.
func good(t *testing.T, change func(c map[string]any)) []byte {
	t.Helper()
	line, err := os.ReadFile(vectorFile("accept-assertion-signed"))
	require.NoError(t, err)
	if change == nil {
		return line
	}
	var c map[string]any
	require.NoError(t, json.Unmarshal(line, &c))
	change(c)
	line, err = json.Marshal(c)
	require.NoError(t, err)
	return append(line, '\n')
}

func spOf(c map[string]any) map[string]any { return c["sp"].(map[string]any) }

func TestJudge(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name    string
		change  func(c map[string]any)
		verdict replay.Verdict
		reason  string
		detail  string
	}{
		{"no kind", func(c map[string]any) { delete(c, "kind") }, replay.Accept, "", ""},
		{"unknown field", func(c map[string]any) { c["mood"] = map[string]any{"today": 1} }, replay.Accept, "", ""},
		{"other shapes of what is for people", func(c map[string]any) { c["refs"], c["class"], c["reason"] = "a", 1, []any{2} }, replay.Accept, "", ""},
		{"informative", func(c map[string]any) { spOf(c)["expectSigned"] = "both" }, replay.Accept, "", ""},
		{"null", func(c map[string]any) { c["relayState"], c["sequence"], spOf(c)["allow"] = nil, nil, nil }, replay.Accept, "", ""},
		{"fraction of a second, zone", func(c map[string]any) { c["now"] = "2026-03-14T16:09:26.5+01:00" }, replay.Accept, "", ""},
		{"option about encryption", func(c map[string]any) { spOf(c)["allow"] = []string{"AllowSignedCBC", "Allow3DES"} }, replay.Accept, "", ""},
		{"decryption key", func(c map[string]any) { spOf(c)["decryptionKeyPEM"] = keyText(t, "sp-p256") }, replay.Accept, "", ""},
		{"decryption key that is no PEM", func(c map[string]any) { spOf(c)["decryptionKeyPEM"] = "x" }, replay.Error, "", "decryptionKeyPEM"},
		{"old decryption key that is no key", func(c map[string]any) {
			spOf(c)["oldDecryptionKeyPEM"] = "-----BEGIN PRIVATE KEY-----\nc2VjcmV0\n-----END PRIVATE KEY-----"
		}, replay.Error, "", "oldDecryptionKeyPEM"},
		{"decryption certificate of another key", func(c map[string]any) {
			spOf(c)["decryptionKeyPEM"], spOf(c)["decryptionCertPEM"] = keyText(t, "sp-p256"), certificatePEM(oldCertificate(t, privateKey(t, "mallory-rsa2048")))
		}, replay.Error, "", "Certificate"},
		{"ACS on loopback", func(c map[string]any) { spOf(c)["acsURL"] = "http://127.0.0.1:8080/acs" }, replay.Reject, "wrong_destination", ""},
		{"no request", func(c map[string]any) { c["requestID"] = "" }, replay.Reject, "unknown_request", ""},

		{"unknown kind", func(c map[string]any) { c["kind"] = "tea" }, replay.Unsupported, "", "tea"},
		{"logout without address", func(c map[string]any) { c["kind"] = "logout-request-redirect" }, replay.Error, "", "sloURL"},
		{"logout without query", func(c map[string]any) {
			c["kind"], c["sp"] = "logout-request-redirect", map[string]any{"entityID": spEntityID, "sloURL": sloURL}
		}, replay.Error, "", "query"},
		{"logout with an empty query", func(c map[string]any) {
			c["kind"], c["query"], c["sp"] = "logout-response-redirect", "", map[string]any{"entityID": spEntityID, "sloURL": sloURL}
		}, replay.Reject, "bad_request", ""},
		{"logout without request", func(c map[string]any) {
			c["kind"], c["sp"] = "logout-request-post", map[string]any{"entityID": spEntityID, "sloURL": sloURL}
		}, replay.Error, "", "samlRequest"},
		{"logout without answer", func(c map[string]any) {
			c["kind"], c["sp"] = "logout-response-post", map[string]any{"entityID": spEntityID, "sloURL": sloURL}
			delete(c, "samlResponse")
		}, replay.Error, "", "samlResponse"},
		{"logout without entity ID", func(c map[string]any) {
			c["kind"], c["sp"] = "logout-response-post", map[string]any{"sloURL": sloURL}
		}, replay.Error, "", "entityID"},

		{"no clock", func(c map[string]any) { delete(c, "now") }, replay.Error, "", "now"},
		{"bad clock", func(c map[string]any) { c["now"] = "yesterday" }, replay.Error, "", "now"},
		{"wrong type", func(c map[string]any) { c["sp"] = "x" }, replay.Error, "", "not a case"},
		{"no service provider", func(c map[string]any) { delete(c, "sp") }, replay.Error, "", "acsURL"},
		{"no entity ID", func(c map[string]any) { delete(spOf(c), "entityID") }, replay.Error, "", "entityID"},
		{"ACS without https", func(c map[string]any) { spOf(c)["acsURL"] = "http://sp.example.com/acs" }, replay.Reject, "wrong_destination", "http://sp"},
		{"skew too large", func(c map[string]any) { spOf(c)["clockSkewSeconds"] = 1e300 }, replay.Error, "", "clockSkewSeconds"},
		{"negative skew", func(c map[string]any) { spOf(c)["clockSkewSeconds"] = -1 }, replay.Error, "", "clockSkewSeconds"},
		{"unknown option", func(c map[string]any) { spOf(c)["allow"] = []string{"AllowEverything"} }, replay.Error, "", "AllowEverything"},
		{"option alone", func(c map[string]any) { spOf(c)["allow"] = []string{"AllowUnknownInResponseTo"} }, replay.Error, "", "AllowIdPInitiated"},
		{"no metadata", func(c map[string]any) { delete(c, "idpMetadata") }, replay.Error, "", "idpMetadata"},
		{"blank metadata", func(c map[string]any) { c["idpMetadata"] = " \n" }, replay.Error, "", "idpMetadata"},
		{"bad metadata key", func(c map[string]any) { spOf(c)["metadataTrustCertPEM"] = "x" }, replay.Error, "", "metadataTrustCertPEM"},
		{"no response", func(c map[string]any) { delete(c, "samlResponse") }, replay.Error, "", "samlResponse"},
		{"request ID that is none", func(c map[string]any) { c["requestID"] = "1 2" }, replay.Error, "", "RequestID"},
		{"no steps", func(c map[string]any) { c["kind"] = "sequence" }, replay.Error, "", "sequence"},
		{"step without expectation", func(c map[string]any) {
			c["kind"], c["sequence"] = "sequence", []any{map[string]any{"samlResponse": c["samlResponse"]}}
		}, replay.Error, "", "expect"},
		{"steps as the case has it", func(c map[string]any) {
			c["kind"], c["sequence"] = "sequence", []any{map[string]any{"samlResponse": c["samlResponse"], "expect": "accept"}}
		}, replay.Accept, "", ""},
		{"step that ends otherwise", func(c map[string]any) {
			c["kind"], c["sequence"] = "sequence", []any{map[string]any{"samlResponse": c["samlResponse"], "expect": "reject"}}
		}, replay.Reject, "", "step 1: accept, expected reject"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := replay.Judge(good(t, tt.change))
			assert.Equal(t, tt.verdict, a.Verdict, a.Detail)
			assert.Equal(t, tt.reason, a.Reason, a.Detail)
			assert.Contains(t, a.Detail, tt.detail)
			assert.Equal(t, "accept-assertion-signed", a.Name)
		})
	}
}

func TestJudgeNoCase(t *testing.T) {
	t.Parallel()
	for _, line := range []string{``, `{`, `[]`, `null`, `"x"`, `{"name":"n"}`, `{"name":"n"} {}`, "\xff", `{"name":1}`} {
		a := replay.Judge([]byte(line))
		assert.Equal(t, replay.Error, a.Verdict, line)
		assert.NotEmpty(t, a.Detail, line)
	}
}

func TestAnswer(t *testing.T) {
	t.Parallel()
	write := func(line []byte) (answer map[string]any) {
		var b strings.Builder
		require.NoError(t, replay.Judge(line).Write(&b))
		assert.Equal(t, 1, strings.Count(b.String(), "\n"))
		require.NoError(t, json.Unmarshal([]byte(b.String()), &answer))
		require.Contains(t, answer, "millis")
		delete(answer, "millis")
		return answer
	}
	w := newWorld(t)
	assert.Equal(t, map[string]any{"name": "accept-assertion-signed", "verdict": "accept", "nameID": "alice",
		"nameIDFormat": samltest.FormatPersistent, "redirect": "",
		"attributes": map[string]any{"firstname": []any{"Alice"}, "lastname": []any{"Smith"}, "email": []any{"alice@example.com"}},
	}, write(good(t, nil)))
	assert.Equal(t, map[string]any{"name": "metadata-entity", "verdict": "accept", "ssoURL": "https://idp.example.com/sso",
		"certSHA256": []any{sum(w.idp.Certificate())}}, write(w.metadataVectors()[0].line(t)))

	steps := write(w.sequenceVectors()[0].line(t))
	require.Len(t, steps["steps"], 2)
	assert.Equal(t, "accept", steps["verdict"])
	assert.Equal(t, "replayed", steps["reason"])
	first, second := steps["steps"].([]any)[0].(map[string]any), steps["steps"].([]any)[1].(map[string]any)
	assert.Equal(t, "alice", first["nameID"])
	assert.Equal(t, "reject", second["verdict"])
	assert.NotContains(t, second, "nameID")
}

func TestDifferences(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		expected string
		want     []string
	}{
		{`{}`, nil},
		{`{"expect":"accept"}`, nil},
		{`{"expect":"reject"}`, []string{"verdict"}},
		{`{"nameID":"bob"}`, []string{"nameID"}},
		{`{"nameIDFormat":""}`, nil},
		{`{"nameIDFormat":"urn:x"}`, []string{"nameIDFormat"}},
		{`{"redirect":"/x"}`, []string{"redirect"}},
		{`{"attributes":{}}`, []string{"attributes"}},
		{`{"attributes":{"email":["alice@example.com"],"firstname":["Alice"],"lastname":["Smith"]}}`, nil},
		{`{"attributes":{"email":"alice@example.com"}}`, []string{"what is expected cannot be read"}},
	} {
		got := replay.Judge(good(t, nil)).Differences([]byte(tt.expected))
		require.Len(t, got, len(tt.want), tt.expected)
		for i := range got {
			assert.Contains(t, got[i], tt.want[i])
		}
	}
	imported := replay.Judge(newWorld(t).metadataVectors()[0].line(t))
	assert.Len(t, imported.Differences([]byte(`{"ssoURL":"x","certSHA256":["00"]}`)), 2)
	assert.Empty(t, replay.Judge(good(t, func(c map[string]any) { delete(c, "now") })).Differences([]byte(`{"nameID":"x"}`)))
}

// TestStreamAnswersAtOnce writes a case and waits for its answer before it writes the next.
func TestStreamAnswersAtOnce(t *testing.T) {
	t.Parallel()
	in, cases := io.Pipe()
	answers, out := io.Pipe()
	go func() {
		out.CloseWithError(replay.Stream(in, nil, func(_ []byte, a replay.Answer) error { return a.Write(out) }))
	}()
	lines := bufio.NewScanner(answers)
	ask := func(line string) (a replay.Answer) {
		_, err := io.WriteString(cases, line)
		require.NoError(t, err)
		require.True(t, lines.Scan())
		require.NoError(t, json.Unmarshal(lines.Bytes(), &a))
		return a
	}
	for range 3 {
		assert.Equal(t, replay.Accept, ask(string(good(t, nil))).Verdict)
		assert.Equal(t, replay.Error, ask("{ nonsense\n").Verdict)
		assert.Equal(t, replay.Unsupported, ask("\n \r\n"+`{"name":"x","kind":"y"}`+"\r\n").Verdict)
	}
	require.NoError(t, cases.Close())
	assert.False(t, lines.Scan())
	assert.NoError(t, lines.Err())
}

func TestStreamEnds(t *testing.T) {
	t.Parallel()
	count := 0
	require.NoError(t, replay.Stream(strings.NewReader(`{"kind":"x"}`+"\n"+`{"kind":"y"}`), nil, func(_ []byte, a replay.Answer) error {
		count++
		return nil
	}))
	assert.Equal(t, 2, count, "the last line needs no end")

	broken := errors.New("broken")
	assert.ErrorIs(t, replay.Stream(strings.NewReader("{}\n{}\n"), nil, func([]byte, replay.Answer) error { return broken }), broken)
	assert.ErrorIs(t, replay.Stream(io.MultiReader(strings.NewReader("{}\n"), failing{broken}), nil, func([]byte, replay.Answer) error { return nil }), broken)
}

type failing struct{ err error }

func (f failing) Read([]byte) (int, error) { return 0, f.err }

// TestStreamLongLine has a case of many megabytes: a federation.
func TestStreamLongLine(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	entity := metadata("https://idp-N.example.com", "", keyDescriptor("", w.idp.Certificate()))
	var federation []string
	for size := 0; size < 10<<20; size += len(entity) {
		federation = append(federation, strings.Replace(entity, "-N", "-"+strings.Repeat("n", len(federation)%7), 1))
	}
	v := w.metadataVectors()[0]
	v.IdPMetadata = aggregate("", append(federation, w.metadata())...)
	require.NoError(t, replay.Stream(bytes.NewReader(v.line(t)), nil, func(line []byte, a replay.Answer) error {
		assert.Greater(t, len(line), 10<<20)
		assert.Equal(t, replay.Accept, a.Verdict, a.Detail)
		return nil
	}))
}

func TestGuard(t *testing.T) {
	t.Parallel()
	a := replay.Guard(func() replay.Answer { panic("oops") })
	assert.Equal(t, replay.Answer{Verdict: replay.Error, Detail: "panic: oops"}, a)
}
