package oracle

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A C14NMode is one of the canonicalisations that xmllint performs, all of them with comments, on whole documents.
type C14NMode string

// The modes, as xmllint's options.
const (
	Inclusive   C14NMode = "--c14n"
	Inclusive11 C14NMode = "--c14n11"
	Exclusive   C14NMode = "--exc-c14n"
)

// c14nBatch is how many documents one xmllint process gets.
const c14nBatch = 250

// separator is a document whose canonical form stands between those of the others in one output.
const separator = "<separator-5ac6f1 xmlns='urn:separator'/>"
const separatorC14N = `<separator-5ac6f1 xmlns="urn:separator"></separator-5ac6f1>`

// XMLLintC14N returns libxml2's canonical form of a whole document with comments. The error says why libxml2 refuses it.
func XMLLintC14N(t testing.TB, doc []byte, mode C14NMode) ([]byte, error) {
	t.Helper()
	out, errs, err := run(t, "", nil, Need(t, "xmllint"), "--nonet", string(mode), write(t, t.TempDir(), "doc.xml", doc))
	if err == nil && len(out) == 0 {
		err = fmt.Errorf("xmllint: no output: %.500s", errs)
	}
	if err != nil {
		return nil, err
	}
	return out, nil
}

// XMLLintC14NAll does what XMLLintC14N does for many documents in few processes. A document that libxml2 refuses has a
// nil result.
func XMLLintC14NAll(t testing.TB, docs [][]byte, mode C14NMode) [][]byte {
	t.Helper()
	xmllint, dir := Need(t, "xmllint"), t.TempDir()
	between := write(t, dir, "separator.xml", []byte(separator))
	var all [][]byte
	for len(docs) > 0 {
		batch := docs[:min(len(docs), c14nBatch)]
		docs = docs[len(batch):]
		args := []string{"--nonet", string(mode)}
		for i, doc := range batch {
			args = append(args, write(t, dir, fmt.Sprintf("%d.xml", i), doc), between)
		}
		out, _, err := run(t, "", nil, xmllint, args...) // err: some document was refused
		parts := bytes.Split(out, []byte(separatorC14N))
		if len(parts) != len(batch)+1 || len(parts[len(batch)]) != 0 {
			t.Fatalf("xmllint wrote %d canonical forms for %d documents: %v", len(parts)-1, len(batch), err)
		}
		for _, part := range parts[:len(batch)] {
			if len(part) == 0 {
				part = nil
			}
			all = append(all, part)
		}
	}
	return all
}

// Where Debian's packages opensaml-schemas and xmltooling-schemas put their files.
const (
	samlSchemas = "/usr/share/xml/opensaml"
	xmlSchemas  = "/usr/share/xml/xmltooling"
)

// elsewhere lists what the schemas import by a location on the web, and the local file that has it.
var elsewhere = [][2]string{
	{"http://www.w3.org/TR/2002/REC-xmldsig-core-20020212/xmldsig-core-schema.xsd", xmlSchemas + "/xmldsig-core-schema.xsd"},
	{"http://www.w3.org/TR/2002/REC-xmlenc-core-20021210/xenc-schema.xsd", xmlSchemas + "/xenc-schema.xsd"},
	{"http://www.w3.org/2001/xml.xsd", xmlSchemas + "/xml.xsd"},
}

// schemas lists, for each kind of document, the namespaces that are checked: the first one is the root's, the others
// are extensions that the first admits anywhere ("lax") and that would pass unseen without their own schema.
var schemas = map[string][][2]string{
	"metadata": {
		{"urn:oasis:names:tc:SAML:2.0:metadata", samlSchemas + "/saml-schema-metadata-2.0.xsd"},
		{"urn:oasis:names:tc:SAML:metadata:ui", samlSchemas + "/sstc-saml-metadata-ui-v1.0.xsd"},
		{"urn:oasis:names:tc:SAML:metadata:algsupport", samlSchemas + "/sstc-saml-metadata-algsupport-v1.0.xsd"},
		{"urn:oasis:names:tc:SAML:metadata:attribute", samlSchemas + "/sstc-metadata-attr.xsd"},
		{"urn:oasis:names:tc:SAML:metadata:rpi", samlSchemas + "/saml-metadata-rpi-v1.0.xsd"},
		{"urn:oasis:names:tc:SAML:profiles:SSO:idp-discovery-protocol", samlSchemas + "/sstc-saml-idp-discovery.xsd"},
		{"urn:oasis:names:tc:SAML:profiles:SSO:request-init", samlSchemas + "/sstc-request-initiation.xsd"},
		{"http://www.w3.org/2009/xmldsig11#", xmlSchemas + "/xmldsig11-schema.xsd"},
	},
	"protocol": {
		{"urn:oasis:names:tc:SAML:2.0:protocol", samlSchemas + "/saml-schema-protocol-2.0.xsd"},
		{"urn:oasis:names:tc:SAML:2.0:protocol:ext:async-slo", samlSchemas + "/saml-async-slo-v1.0.xsd"},
		{"http://www.w3.org/2009/xmldsig11#", xmlSchemas + "/xmldsig11-schema.xsd"},
	},
}

// ValidateSchema says in what a document departs from the SAML schemas; kind is "metadata" or "protocol". Nothing is
// fetched: what the schemas import comes from Debian's packages through a catalog.
func ValidateSchema(t testing.TB, doc []byte, kind string) error {
	t.Helper()
	xmllint := Need(t, "xmllint")
	for _, dir := range []string{samlSchemas, xmlSchemas} {
		if _, err := os.Stat(dir); err != nil {
			missing(t, "no schemas in "+dir+" (packages opensaml-schemas, xmltooling-schemas)")
		}
	}
	imports := schemas[kind]
	if imports == nil {
		t.Fatalf("no schemas for %q", kind)
	}
	catalog := `<catalog xmlns="urn:oasis:names:tc:entity:xmlns:xml:catalog">`
	for _, e := range elsewhere {
		catalog += fmt.Sprintf(`<system systemId="%s" uri="file://%s"/><uri name="%s" uri="file://%s"/>`, e[0], e[1], e[0], e[1])
	}
	driver := `<schema xmlns="http://www.w3.org/2001/XMLSchema">`
	for _, s := range imports {
		driver += fmt.Sprintf(`<import namespace="%s" schemaLocation="file://%s"/>`, s[0], s[1])
	}
	dir := t.TempDir()
	catalogFile := write(t, dir, "catalog.xml", []byte(catalog+"</catalog>"))
	driverFile := write(t, dir, "driver.xsd", []byte(driver+"</schema>"))
	file := write(t, dir, kind+".xml", doc)
	_, errs, err := run(t, "", []string{"XML_CATALOG_FILES=" + catalogFile}, xmllint, "--nonet", "--noout", "--schema", driverFile, file)
	// A schema that was not found is no more than a warning to xmllint; one that does not compile is an error in errs.
	for _, complaint := range []string{"failed to load", "Failed to locate", "failed to compile"} {
		if bytes.Contains(errs, []byte(complaint)) {
			t.Fatalf("the schemas do not load: %s", errs)
		}
	}
	if err == nil {
		err = rootNamespace(t, xmllint, file, imports[0][0])
	}
	return err
}

// rootNamespace refuses a valid document of another kind, such as an assertion for a protocol message.
func rootNamespace(t testing.TB, xmllint, file, want string) error {
	t.Helper()
	out, _, err := run(t, "", nil, xmllint, "--nonet", "--xpath", "namespace-uri(/*)", file)
	if got := strings.TrimSpace(string(out)); err == nil && got != want {
		err = fmt.Errorf("%s: root in namespace %q, want %q", filepath.Base(file), got, want)
	}
	return err
}
