package main

import (
	"bufio"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/logintrust/saml/internal/fips"
)

const vectors = "../../testdata/vectors/"

// call runs the program and returns what it wrote.
func call(stdin string, args ...string) (status int, stdout, stderr string) {
	var out, err strings.Builder
	status = run(args, strings.NewReader(stdin), &out, &err)
	return status, out.String(), err.String()
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(vectors + name + ".json")
	require.NoError(t, err)
	return string(text)
}

func TestUsage(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		args   string
		status int
		out    string // on standard output
		err    string // on standard error
	}{
		{"", exitUsage, "", "Usage: logintrust"},
		{"help", exitOK, "replay", ""},
		{"--help", exitOK, "replay", ""},
		{"replay -h", exitOK, "-check", ""},
		{"brew tea", exitUsage, "", `there is no command "brew"`},
		{"replay -brew", exitUsage, "", "-brew"},
		{"replay " + vectors + "none.json", exitUnable, "", "none.json"},
		{"replay " + vectors + "accept-assertion-signed.json none.json", exitUnable, "", "none.json"},
	} {
		status, out, err := call("", strings.Fields(tt.args)...)
		assert.Equal(t, tt.status, status, tt.args)
		assert.Contains(t, out, tt.out, tt.args)
		assert.Contains(t, err, tt.err, tt.args)
		if tt.status == exitUsage {
			assert.Empty(t, out, tt.args)
		}
	}
	_, _, err := call("", "brew")
	assert.Equal(t, 1, strings.Count(err, "\n"), "one sentence")
}

func TestReplay(t *testing.T) {
	t.Parallel()
	accepted, refused := read(t, "accept-assertion-signed"), read(t, "reject-unsigned")
	differs := strings.Replace(accepted, `"expect":"accept"`, `"expect":"reject"`, 1)
	wrongName := strings.Replace(accepted, `"nameID":"alice"`, `"nameID":"bob"`, 1)
	unknown := `{"name":"u","kind":"tea","expect":"accept"}` + "\n"
	for _, tt := range []struct {
		name, stdin, args string
		status, lines     int
		err               string
	}{
		{"nothing", "", "", exitOK, 0, ""},
		{"standard input", accepted + refused, "", exitOK, 2, ""},
		{"standard input by name", accepted + refused, "-", exitOK, 2, ""},
		{"unsupported", accepted + unknown + refused, "", exitUnable, 3, ""},
		{"malformed", accepted + "{\n" + refused, "", exitUnable, 3, ""},
		{"differs, unchecked", differs, "", exitOK, 1, ""},
		{"checked", accepted + refused, "-check", exitOK, 2, "2 cases: 2 as expected, 0 not, 0 that could not be judged\n"},
		{"differs", differs + refused, "--check", exitDiffers, 2, "accept-assertion-signed: verdict: got accept, want reject"},
		{"another name", wrongName, "-check", exitDiffers, 1, `nameID: got "alice", want "bob"`},
		{"unsupported beats differs", differs + unknown, "-check", exitUnable, 2, "2 cases: 0 as expected, 1 not, 1 that could not be judged\n"},
		{"files", "", vectors + "accept-assertion-signed.json " + vectors + "reject-unsigned.json", exitOK, 2, ""},
		{"flag behind files", refused, vectors + "accept-assertion-signed.json - -check", exitOK, 2, "2 cases: 2 as expected"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			status, out, err := call(tt.stdin, append([]string{"replay"}, strings.Fields(tt.args)...)...)
			assert.Equal(t, tt.status, status, err)
			assert.Equal(t, tt.lines, strings.Count(out, "\n"))
			assert.Contains(t, err, tt.err)
			if !strings.Contains(tt.args, "-check") {
				assert.Empty(t, err)
			}
		})
	}
}

// TestReplayVectors judges all that is checked in by one call.
func TestReplayVectors(t *testing.T) {
	fips.Forbids(t, "some of what is accepted in the vectors")
	t.Parallel()
	names, err := filepath.Glob(vectors + "*.json")
	require.NoError(t, err)
	status, out, stderr := call("", append([]string{"replay", "-check"}, names...)...)
	assert.Equal(t, exitOK, status, stderr)
	lines := strings.Split(strings.TrimSpace(out), "\n")
	require.Len(t, lines, len(names))
	for i, line := range lines {
		var answer struct{ Name string }
		require.NoError(t, json.Unmarshal([]byte(line), &answer))
		assert.Equal(t, names[i], vectors+answer.Name+".json")
	}
}

// TestReplayAnswersAtOnce feeds the program like another one that waits for each answer.
func TestReplayAnswersAtOnce(t *testing.T) {
	t.Parallel()
	stdin, cases := io.Pipe()
	answers, stdout := io.Pipe()
	status := make(chan int, 1)
	go func() { status <- run([]string{"replay"}, stdin, stdout, io.Discard) }()
	lines := bufio.NewScanner(answers)
	for _, name := range []string{"accept-assertion-signed", "reject-unsigned", "sequence-replay"} {
		_, err := io.WriteString(cases, read(t, name))
		require.NoError(t, err)
		require.True(t, lines.Scan())
		assert.Contains(t, lines.Text(), `"name":"`+name+`"`)
	}
	require.NoError(t, cases.Close())
	assert.Equal(t, exitOK, <-status)
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, io.ErrClosedPipe }

func TestReplayCannotWrite(t *testing.T) {
	t.Parallel()
	var stderr strings.Builder
	assert.Equal(t, exitUnable, run([]string{"replay"}, strings.NewReader("{}\n"), brokenPipe{}, &stderr))
	assert.NotEmpty(t, stderr.String())
}
