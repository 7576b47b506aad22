package compose

import (
	"time"

	"github.com/beevik/etree"
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
func (r ArtifactResolve) Element() (*etree.Element, error) {
	e := message("ArtifactResolve", r.ID, r.IssueInstant, r.Destination)
	e.CreateElement("saml:Issuer").SetText(r.Issuer)
	e.CreateElement("samlp:Artifact").SetText(r.Artifact)
	return e, nil
}
