module github.com/logintrust/saml/examples/server

go 1.26

require (
	github.com/logintrust/saml v0.0.0
	github.com/stretchr/testify v1.12.1
)

require (
	github.com/beevik/etree v1.8.1 // indirect
	github.com/jonboulle/clockwork v0.5.0 // indirect
	github.com/russellhaering/goxmldsig v1.6.1 // indirect
	go.yaml.in/yaml/v3 v3.0.5 // indirect
)

replace github.com/logintrust/saml => ../..
