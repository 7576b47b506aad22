package samltest

import (
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"io"
	"net/http"

	"github.com/beevik/etree"

	saml "github.com/logintrust/saml"
)

// A Resolution is what an artifact stands for. [IdP.Artifact] fills one in; change its fields for other answers.
type Resolution struct {
	// Answer is the Response; nil answers without one.
	Answer *Answer
	// Issuer and Status are of the ArtifactResponse; an empty Issuer leaves it out.
	Issuer, Status string
	// Sign signs the ArtifactResponse.
	Sign bool
	// InResponseTo answers another request; "" answers the one that came.
	InResponseTo string
	// AfterSign edits what was signed, and Bytes the octets of the SOAP message.
	AfterSign func(artifactResponse *etree.Element)
	Bytes     func(soap []byte) []byte
}

const soapNS = "http://schemas.xmlsoap.org/soap/envelope/"

// Artifact gives out an artifact of type 4 (SAML Bindings 3.6.4) that stands for an answer at the service of that index.
func (p *IdP) Artifact(index uint16, answer *Answer) (artifact string, r *Resolution) {
	octets := make([]byte, 44)
	binary.BigEndian.PutUint16(octets, 4)
	binary.BigEndian.PutUint16(octets[2:], index)
	source := saml.ArtifactSource(p.EntityID)
	copy(octets[4:], source[:])
	_, _ = rand.Read(octets[24:])
	artifact = base64.StdEncoding.EncodeToString(octets)
	r = &Resolution{Answer: answer, Issuer: p.EntityID, Status: Success}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.artifacts == nil {
		p.artifacts = map[string]*Resolution{}
	}
	p.artifacts[artifact] = r
	return artifact, r
}

// ArtifactHandler resolves artifacts (SAML Profiles 5), each once. asked sees every message that comes, and may be nil.
func (p *IdP) ArtifactHandler(asked func(r *http.Request, soap []byte)) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(io.LimitReader(r.Body, 1<<20))
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		if asked != nil {
			asked(r, body)
		}
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(body); err != nil || doc.FindElement("/Envelope/Body/ArtifactResolve/Artifact") == nil {
			http.Error(w, "no ArtifactResolve", http.StatusInternalServerError)
			return
		}
		resolve := doc.FindElement("/Envelope/Body/ArtifactResolve")
		answer, err := p.resolve(resolve.SelectAttrValue("ID", ""), resolve.FindElement("Artifact").Text())
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/xml; charset=utf-8")
		_, _ = w.Write(answer)
	})
}

func (p *IdP) resolve(requestID, artifact string) ([]byte, error) {
	p.mu.Lock()
	r := p.artifacts[artifact]
	delete(p.artifacts, artifact)
	p.mu.Unlock()
	if r == nil { // SAML Bindings 3.6.6: a success, and no message
		r = &Resolution{Issuer: p.EntityID, Status: Success}
	}
	if r.InResponseTo != "" {
		requestID = r.InResponseTo
	}
	w := &writer{style: Style{Protocol: "samlp", Assertion: "saml"}}
	response := w.element(nil, nsProtocol, "ArtifactResponse")
	w.attr(response, "ID", newID())
	w.attr(response, "Version", "2.0")
	w.attr(response, "IssueInstant", p.In(0))
	w.attr(response, "InResponseTo", requestID)
	if r.Issuer != "" {
		w.text(response, nsAssertion, "Issuer", r.Issuer)
	}
	w.status(response, &Status{Code: r.Status})
	if r.Answer != nil {
		doc := etree.NewDocument()
		if err := doc.ReadFromBytes(r.Answer.XML()); err != nil {
			return nil, err
		}
		response.AddChild(doc.Root())
	}
	envelope := etree.NewElement("soap:Envelope")
	envelope.CreateAttr("xmlns:soap", soapNS)
	envelope.CreateElement("soap:Body").AddChild(response)
	if r.Sign {
		if err := p.Seal().Enveloped(response); err != nil {
			return nil, err
		}
	}
	if r.AfterSign != nil {
		r.AfterSign(response)
	}
	soap := serialize(envelope, true)
	if r.Bytes != nil {
		soap = r.Bytes(soap)
	}
	return soap, w.err
}
