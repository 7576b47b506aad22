import java.io.*;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.security.spec.*;
import java.util.*;
import javax.xml.crypto.dsig.*;
import javax.xml.crypto.dsig.dom.*;
import javax.xml.crypto.dsig.spec.*;
import javax.xml.parsers.*;
import javax.xml.transform.*;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.w3c.dom.*;

/**
 * Signs and verifies with the JDK's own XML signatures. Run as "java DSig.java"; each line of standard input is a job, its
 * fields separated by tabs, documents and keys in base64; each line of standard output answers one:
 *
 *   sign ALGORITHM DIGEST ID PKCS8 DOCUMENT   ok DOCUMENT | error MESSAGE
 *   verify ID SPKI DOCUMENT                   ok OCTETS   | error MESSAGE     (the octets that the Reference digested)
 *   octets ALGORITHM SPKI SIGNATURE MESSAGE   ok         | error MESSAGE     (a detached signature, as in a Redirect)
 *   hello                                     ok hello
 */
public class DSig {
    static final XMLSignatureFactory FACTORY = XMLSignatureFactory.getInstance("DOM");

    public static void main(String[] args) throws Exception {
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        var out = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        for (String line; (line = in.readLine()) != null; ) {
            try {
                out.print("ok\t" + Base64.getEncoder().encodeToString(job(line.split("\t", -1))) + "\n");
            } catch (Exception e) {
                var root = (Throwable) e;
                while (root.getCause() != null) root = root.getCause();
                out.print("error\t" + root.toString().replaceAll("\\s+", " ") + "\n");
            }
            out.flush();
        }
    }

    static byte[] job(String[] f) throws Exception {
        return switch (f[0]) {
            case "sign" -> sign(f[1], f[2], f[3], decode(f[4]), decode(f[5]));
            case "verify" -> verify(f[1], decode(f[2]), decode(f[3]));
            case "octets" -> octets(f[1], decode(f[2]), decode(f[3]), decode(f[4]));
            case "hello" -> "hello".getBytes(StandardCharsets.UTF_8);
            default -> throw new IllegalArgumentException("no such job: " + f[0]);
        };
    }

    static byte[] sign(String algorithm, String digest, String id, byte[] pkcs8, byte[] xml) throws Exception {
        var doc = parse(xml);
        var parent = element(doc, id);
        Node before = parent.getFirstChild();
        while (before != null && before.getNodeType() == Node.TEXT_NODE && before.getTextContent().isBlank()) before = before.getNextSibling();
        if (before != null && "Issuer".equals(before.getLocalName())) before = before.getNextSibling();

        var transforms = List.of(
            FACTORY.newTransform(Transform.ENVELOPED, (TransformParameterSpec) null),
            FACTORY.newTransform(CanonicalizationMethod.EXCLUSIVE, (TransformParameterSpec) null));
        var reference = FACTORY.newReference("#" + id, FACTORY.newDigestMethod(digest, null), transforms, null, null);
        var method = FACTORY.newSignatureMethod(algorithm, parameters(algorithm));
        var info = FACTORY.newSignedInfo(
            FACTORY.newCanonicalizationMethod(CanonicalizationMethod.EXCLUSIVE, (C14NMethodParameterSpec) null), method, List.of(reference));
        var key = KeyFactory.getInstance(family(algorithm)).generatePrivate(new PKCS8EncodedKeySpec(pkcs8));
        var context = new DOMSignContext(key, parent, before);
        context.setDefaultNamespacePrefix("ds");
        FACTORY.newXMLSignature(info, null).sign(context);

        var out = new ByteArrayOutputStream();
        var transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        transformer.transform(new DOMSource(doc), new StreamResult(out));
        return out.toByteArray();
    }

    static byte[] verify(String id, byte[] spki, byte[] xml) throws Exception {
        var doc = parse(xml);
        Element signature = null;
        for (Node n = element(doc, id).getFirstChild(); n != null; n = n.getNextSibling()) {
            if (!XMLSignature.XMLNS.equals(n.getNamespaceURI()) || !"Signature".equals(n.getLocalName())) continue;
            if (signature != null) throw new SignatureException("several signatures");
            signature = (Element) n;
        }
        if (signature == null) throw new SignatureException("no signature");
        var method = (Element) signature.getElementsByTagNameNS(XMLSignature.XMLNS, "SignatureMethod").item(0);
        var key = KeyFactory.getInstance(family(method.getAttribute("Algorithm"))).generatePublic(new X509EncodedKeySpec(spki));
        var context = new DOMValidateContext(key, signature);
        context.setProperty("javax.xml.crypto.dsig.cacheReference", true);
        context.setProperty("org.jcp.xml.dsig.secureValidation", false); // SHA-1 and short keys are the test's business
        var parsed = FACTORY.unmarshalXMLSignature(context);
        if (!parsed.getSignatureValue().validate(context)) throw new SignatureException("wrong signature value");
        var references = parsed.getSignedInfo().getReferences();
        if (references.size() != 1) throw new SignatureException(references.size() + " references");
        var reference = references.get(0);
        if (!("#" + id).equals(reference.getURI())) throw new SignatureException("reference to " + reference.getURI());
        if (!reference.validate(context)) throw new SignatureException("wrong digest");
        return reference.getDigestInputStream().readAllBytes();
    }

    static byte[] octets(String algorithm, byte[] spki, byte[] value, byte[] message) throws Exception {
        var a = algorithm.substring(algorithm.indexOf('#') + 1);
        var size = a.replaceAll(".*sha(\\d+).*", "$1");
        Signature signature;
        if (a.endsWith("-rsa-MGF1")) {
            signature = Signature.getInstance("RSASSA-PSS");
            signature.setParameter(new PSSParameterSpec("SHA-" + size, "MGF1", new MGF1ParameterSpec("SHA-" + size), Integer.parseInt(size) / 8, 1));
        } else {
            signature = Signature.getInstance(switch (a.split("-")[0]) {
                case "rsa" -> "SHA" + size + "withRSA";
                case "ecdsa" -> "SHA" + size + "withECDSAinP1363Format";
                default -> "Ed25519";
            });
        }
        signature.initVerify(KeyFactory.getInstance(family(algorithm)).generatePublic(new X509EncodedKeySpec(spki)));
        signature.update(message);
        if (!signature.verify(value)) throw new SignatureException("wrong signature value");
        return new byte[0];
    }

    static String family(String algorithm) {
        var a = algorithm.substring(algorithm.indexOf('#') + 1);
        if (a.contains("ecdsa")) return "EC";
        if (a.contains("eddsa")) return "EdDSA";
        return "RSA";
    }

    static SignatureMethodParameterSpec parameters(String algorithm) {
        if (!algorithm.endsWith("#rsa-pss")) return null;
        return new RSAPSSParameterSpec(new PSSParameterSpec("SHA-256", "MGF1", MGF1ParameterSpec.SHA256, 32, 1));
    }

    /** Finds the one element with this attribute ID, and makes that attribute an ID in the whole document. */
    static Element element(Document doc, String id) throws Exception {
        Element found = null;
        var all = doc.getElementsByTagName("*");
        for (int i = 0; i < all.getLength(); i++) {
            var e = (Element) all.item(i);
            if (!e.hasAttributeNS(null, "ID")) continue;
            e.setIdAttributeNS(null, "ID", true);
            if (!id.equals(e.getAttributeNS(null, "ID"))) continue;
            if (found != null) throw new SignatureException("several elements with the ID " + id);
            found = e;
        }
        if (found == null) throw new SignatureException("no element with the ID " + id);
        return found;
    }

    static Document parse(byte[] xml) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
    }

    static byte[] decode(String s) { return Base64.getDecoder().decode(s); }
}
