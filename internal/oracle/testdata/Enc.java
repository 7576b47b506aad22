import java.io.*;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.security.*;
import java.security.interfaces.*;
import java.security.spec.*;
import java.util.*;
import javax.crypto.*;
import javax.crypto.spec.*;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.transform.*;
import javax.xml.transform.dom.DOMSource;
import javax.xml.transform.stream.StreamResult;
import org.apache.xml.security.encryption.*;
import org.apache.xml.security.keys.KeyInfo;
import org.w3c.dom.*;

/**
 * Encrypts and decrypts for tests: with Apache Santuario, and key agreement, which it does not know in this version, with the
 * JDK alone. One job a line on standard input, its fields separated by tabs; the answer is "ok", a tab and base64, or "error"
 * and why.
 */
public class Enc {
    static final String XENC = "http://www.w3.org/2001/04/xmlenc#", DS = "http://www.w3.org/2000/09/xmldsig#";

    public static void main(String[] args) throws Exception {
        org.apache.xml.security.Init.init();
        var in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line; (line = in.readLine()) != null; ) {
            String answer;
            try {
                answer = "ok\t" + Base64.getEncoder().encodeToString(run(line.split("\t", -1)));
            } catch (Throwable e) {
                answer = "error\t" + e.toString().replaceAll("\\s+", " ");
            }
            System.out.println(answer);
            System.out.flush();
        }
    }

    static byte[] run(String[] job) throws Exception {
        switch (job[0]) {
            case "hello": return "hello".getBytes(StandardCharsets.UTF_8);
            case "encrypt": return encrypt(job[1], job[2], job[3], job[4], decode(job[5]), decode(job[6]), decode(job[7]));
            case "decrypt": return decrypt(decode(job[1]), decode(job[2]));
            case "agree": return agree(decode(job[1]), decode(job[2]), job[3], decode(job[4]), Integer.parseInt(job[5]), job[6], decode(job[7]));
            case "generate": return generate(decode(job[1]));
            case "gcm": return gcm(job[1], decode(job[2]), decode(job[3]));
        }
        throw new IllegalArgumentException(job[0]);
    }

    /** Puts an EncryptedData in the place of the root's first child element. An empty string stands for none. */
    static byte[] encrypt(String block, String transport, String digest, String mgf, byte[] label, byte[] spki, byte[] xml) throws Exception {
        var doc = parse(xml);
        Node child = doc.getDocumentElement().getFirstChild();
        while (!(child instanceof Element)) child = child.getNextSibling();
        int bits = block.contains("tripledes") || block.contains("192") ? 192 : block.contains("128") ? 128 : 256;
        var octets = new byte[bits / 8];
        new SecureRandom().nextBytes(octets);
        var session = new SecretKeySpec(octets, block.contains("tripledes") ? "DESede" : "AES");
        var key = KeyFactory.getInstance("RSA").generatePublic(new X509EncodedKeySpec(spki));
        var keys = XMLCipher.getInstance(transport, null, digest.isEmpty() ? null : digest);
        keys.init(XMLCipher.WRAP_MODE, key);
        var carried = keys.encryptKey(doc, session, mgf.isEmpty() ? null : mgf, label.length == 0 ? null : label);
        var data = XMLCipher.getInstance(block);
        data.init(XMLCipher.ENCRYPT_MODE, session);
        var info = new KeyInfo(doc);
        info.add(carried);
        data.getEncryptedData().setKeyInfo(info);
        data.doFinal(doc, (Element) child, false);
        return write(doc);
    }

    static byte[] decrypt(byte[] pkcs8, byte[] xml) throws Exception {
        var doc = parse(xml);
        var data = XMLCipher.getInstance();
        data.init(XMLCipher.DECRYPT_MODE, null);
        data.setKEK(KeyFactory.getInstance("RSA").generatePrivate(new PKCS8EncodedKeySpec(pkcs8)));
        data.doFinal(doc, (Element) doc.getElementsByTagNameNS(XENC, "EncryptedData").item(0));
        return write(doc);
    }

    /** ECDH, the key derivation of NIST SP 800-56A, and AES key wrap: wraps or unwraps a key. */
    static byte[] agree(byte[] pkcs8, byte[] spki, String hash, byte[] other, int bits, String how, byte[] key) throws Exception {
        var agreement = KeyAgreement.getInstance("ECDH");
        agreement.init(KeyFactory.getInstance("EC").generatePrivate(new PKCS8EncodedKeySpec(pkcs8)));
        agreement.doPhase(KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki)), true);
        var secret = agreement.generateSecret();
        var derived = new ByteArrayOutputStream();
        for (int i = 1; derived.size() < bits / 8; i++) {
            var digest = MessageDigest.getInstance(hash);
            digest.update(ByteBuffer.allocate(4).putInt(i).array());
            digest.update(secret);
            derived.write(digest.digest(other));
        }
        var wrap = Cipher.getInstance("AESWrap");
        var kek = new SecretKeySpec(Arrays.copyOf(derived.toByteArray(), bits / 8), "AES");
        if (how.equals("wrap")) {
            wrap.init(Cipher.WRAP_MODE, kek);
            return wrap.wrap(new SecretKeySpec(key, "AES"));
        }
        wrap.init(Cipher.UNWRAP_MODE, kek);
        return wrap.unwrap(key, "AES", Cipher.SECRET_KEY).getEncoded();
    }

    /** Makes a private key, PKCS #8, on the curve of a public one. */
    static byte[] generate(byte[] spki) throws Exception {
        var like = (ECPublicKey) KeyFactory.getInstance("EC").generatePublic(new X509EncodedKeySpec(spki));
        var generator = KeyPairGenerator.getInstance("EC");
        generator.initialize(like.getParams());
        var pair = generator.generateKeyPair();
        var out = new ByteArrayOutputStream();
        var a = pair.getPrivate().getEncoded();
        var b = pair.getPublic().getEncoded();
        out.write(ByteBuffer.allocate(4).putInt(a.length).array());
        out.write(a);
        out.write(b);
        return out.toByteArray();
    }

    /** AES-GCM as XML Encryption 1.1, 5.2.4, has it. */
    static byte[] gcm(String how, byte[] key, byte[] data) throws Exception {
        var cipher = Cipher.getInstance("AES/GCM/NoPadding");
        var k = new SecretKeySpec(key, "AES");
        if (how.equals("open")) {
            cipher.init(Cipher.DECRYPT_MODE, k, new GCMParameterSpec(128, data, 0, 12));
            return cipher.doFinal(data, 12, data.length - 12);
        }
        var nonce = new byte[12];
        new SecureRandom().nextBytes(nonce);
        cipher.init(Cipher.ENCRYPT_MODE, k, new GCMParameterSpec(128, nonce));
        var out = new ByteArrayOutputStream();
        out.write(nonce);
        out.write(cipher.doFinal(data));
        return out.toByteArray();
    }

    static Document parse(byte[] xml) throws Exception {
        var factory = DocumentBuilderFactory.newInstance();
        factory.setNamespaceAware(true);
        factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
        return factory.newDocumentBuilder().parse(new ByteArrayInputStream(xml));
    }

    static byte[] write(Document doc) throws Exception {
        var out = new ByteArrayOutputStream();
        var transformer = TransformerFactory.newInstance().newTransformer();
        transformer.setOutputProperty(OutputKeys.OMIT_XML_DECLARATION, "yes");
        transformer.transform(new DOMSource(doc), new StreamResult(out));
        return out.toByteArray();
    }

    static byte[] decode(String s) { return Base64.getDecoder().decode(s); }
}
