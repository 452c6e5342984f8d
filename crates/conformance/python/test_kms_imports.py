"""KMS keys whose material is imported. The material is wrapped with another library, as clients do it."""

import datetime
import os

import pytest
from cryptography.hazmat.primitives import hashes, keywrap, serialization
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

from bulla import error_code

HASHES = {"SHA_1": hashes.SHA1(), "SHA_256": hashes.SHA256()}
FOREVER = {"ExpirationModel": "KEY_MATERIAL_DOES_NOT_EXPIRE"}


def wrapped(public, algorithm, material):
    digest = next(digest for name, digest in HASHES.items() if algorithm.endswith(name))
    oaep = padding.OAEP(mgf=padding.MGF1(digest), algorithm=digest, label=None)
    if algorithm.startswith("RSAES"):
        return public.encrypt(material, oaep)
    once = os.urandom(32)
    return public.encrypt(once, oaep) + keywrap.aes_key_wrap_with_padding(once, material)


def imported(kms, key, material, algorithm="RSAES_OAEP_SHA_256", spec="RSA_2048", **more):
    given = kms.get_parameters_for_import(KeyId=key, WrappingAlgorithm=algorithm, WrappingKeySpec=spec)
    public = serialization.load_der_public_key(given["PublicKey"])
    assert public.key_size == int(spec[4:])
    sealed = wrapped(public, algorithm, material)
    return kms.import_key_material(KeyId=key, ImportToken=given["ImportToken"], EncryptedKeyMaterial=sealed, **(more or FOREVER))


def pkcs8(own):
    return own.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())


@pytest.mark.parametrize("spec", ["RSA_2048", "RSA_3072", "RSA_4096"])
def test_symmetric_material_is_imported_deleted_and_imported_again(kms, spec):
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    material = os.urandom(32)
    assert error_code(kms.encrypt, KeyId=key, Plaintext=b"x") == "KMSInvalidStateException"
    first = imported(kms, key, material, spec=spec)["KeyMaterialId"]
    blob = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.delete_imported_key_material(KeyId=key)
    assert error_code(kms.decrypt, CiphertextBlob=blob) == "KMSInvalidStateException"
    assert error_code(imported, kms, key, os.urandom(32)) == "IncorrectKeyMaterialException"
    assert imported(kms, key, material, "RSAES_OAEP_SHA_1", spec)["KeyMaterialId"] == first
    assert kms.decrypt(CiphertextBlob=blob)["Plaintext"] == b"x"


def test_an_expiry_is_shown(kms):
    key = kms.create_key(Origin="EXTERNAL")["KeyMetadata"]["KeyId"]
    at = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + datetime.timedelta(days=3)
    imported(kms, key, os.urandom(32), ValidTo=at, ExpirationModel="KEY_MATERIAL_EXPIRES")
    described = kms.describe_key(KeyId=key)["KeyMetadata"]
    assert (described["ExpirationModel"], described["ValidTo"]) == ("KEY_MATERIAL_EXPIRES", at)


@pytest.mark.parametrize("algorithm", ["RSA_AES_KEY_WRAP_SHA_1", "RSA_AES_KEY_WRAP_SHA_256"])
def test_an_rsa_key_of_another_library_signs_here(kms, algorithm):
    own = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    key = kms.create_key(Origin="EXTERNAL", KeySpec="RSA_2048", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    imported(kms, key, pkcs8(own), algorithm)
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm="RSASSA_PKCS1_V1_5_SHA_256")["Signature"]
    own.public_key().verify(signature, b"m", padding.PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize(("spec", "curve"), [("ECC_NIST_P256", ec.SECP256R1()), ("ECC_NIST_P384", ec.SECP384R1()),
                                             ("ECC_NIST_P521", ec.SECP521R1()), ("ECC_SECG_P256K1", ec.SECP256K1())])
def test_an_elliptic_curve_key_of_another_library_signs_here(kms, spec, curve):
    own = ec.generate_private_key(curve)
    key = kms.create_key(Origin="EXTERNAL", KeySpec=spec, KeyUsage="SIGN_VERIFY")["KeyMetadata"]["KeyId"]
    imported(kms, key, pkcs8(own), "RSA_AES_KEY_WRAP_SHA_256")
    algorithm = kms.get_public_key(KeyId=key)["SigningAlgorithms"][0]
    signature = kms.sign(KeyId=key, Message=b"m", SigningAlgorithm=algorithm)["Signature"]
    digest = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}[algorithm[-3:]]
    own.public_key().verify(signature, b"m", ec.ECDSA(digest))
