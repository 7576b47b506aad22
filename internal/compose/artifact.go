package compose

import (
	"time"

	"github.com/beevik/etree"

	"github.com/logintrust/saml/internal/wire"
)

// ArtifactResolve is a samlp:ArtifactResolve (SAML Core 3.5.1).
type ArtifactResolve struct {
	ID           string
	IssueInstant time.Time
	Destination  string
	Issuer       string
	Artifact     string
}

// Element builds the request.
func (r ArtifactResolve) Element() *etree.Element {
	e := etree.NewElement("samlp:ArtifactResolve")
	e.CreateAttr("xmlns:samlp", wire.ProtocolNS)
	e.CreateAttr("xmlns:saml", wire.AssertionNS)
	e.CreateAttr("ID", r.ID)
	e.CreateAttr("Version", "2.0")
	e.CreateAttr("IssueInstant", Instant(r.IssueInstant))
	e.CreateAttr("Destination", r.Destination)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	e.CreateElement("samlp:Artifact").SetText(r.Artifact)
	return e
}
