<?php
$settings = json_decode(@file_get_contents(getenv('IDP_RUN') . '/settings.json') ?: '{}', true);
$set = function ($name, $default) use ($settings) { return $settings[$name] ?? $default; };
$mail = 'urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress';
$unspecified = 'urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified';
$transient = 'urn:oasis:names:tc:SAML:2.0:nameid-format:transient';
$persistent = 'urn:oasis:names:tc:SAML:2.0:nameid-format:persistent';
$metadata[getenv('IDP_BASE') . '/simplesaml/saml2/idp/metadata.php'] = [
    'host' => '__DEFAULT__', 'privatekey' => 'idp.key', 'certificate' => 'idp.crt', 'auth' => 'users',
    'signature.algorithm' => $set('algorithm', 'http://www.w3.org/2001/04/xmldsig-more#rsa-sha256'),
    'saml20.sign.response' => in_array($set('sign', 'both'), ['response', 'both']),
    'saml20.sign.assertion' => in_array($set('sign', 'both'), ['assertion', 'both']),
    'assertion.encryption' => $set('encrypt', false), 'nameid.encryption' => $set('encryptNameID', false),
    'sign.logout' => true, 'redirect.sign' => true, 'validate.logout' => true,
    'validate.authnrequest' => $set('requireSignedRequests', false), 'redirect.validate' => $set('requireSignedRequests', false),
    'SingleSignOnServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
    'SingleLogoutServiceBinding' => ['urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect', 'urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST'],
    'NameIDFormat' => array_values(array_unique([$set('nameID', $transient), $transient, $persistent, $mail, $unspecified])),
    'attributes.NameFormat' => 'urn:oasis:names:tc:SAML:2.0:attrname-format:' . ($set('basicNames', false) ? 'basic' : 'uri'),
    'userid.attribute' => 'uid',
    'authproc' => array_filter([
        1 => ['class' => 'saml:AttributeNameID', 'attribute' => 'mail', 'Format' => $mail],
        2 => ['class' => 'saml:AttributeNameID', 'attribute' => 'uid', 'Format' => $unspecified],
        3 => ['class' => 'saml:PersistentNameID', 'attribute' => 'uid'],
        4 => ['class' => 'saml:TransientNameID'],
        90 => $set('basicNames', false) ? null : ['class' => 'core:AttributeMap', 'name2oid'],
    ]),
];
