<?php
// SimpleSAMLphp's own parser reads the metadata of the service providers.
$settings = json_decode(@file_get_contents(getenv('IDP_RUN') . '/settings.json') ?: '{}', true);
foreach (glob(getenv('IDP_RUN') . '/sp/*.xml') as $file) {
    foreach (\SimpleSAML\Metadata\SAMLParser::parseDescriptorsFile($file) as $id => $parsed) {
        $sp = $parsed->getMetadata20SP();
        if ($sp === null) continue;
        // WantAssertionsSigned would sign the assertion whatever "sign" says.
        unset($sp['entityDescriptor'], $sp['expire'], $sp['metadata-set'], $sp['saml20.sign.assertion']);
        if ($settings['requireSignedRequests'] ?? false) {
            $sp['validate.authnrequest'] = $sp['redirect.validate'] = true;
        }
        if (isset($settings['nameID'])) $sp['NameIDFormat'] = $settings['nameID'];
        $metadata[$id] = $sp;
    }
}
