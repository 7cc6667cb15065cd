"""Django's settings: a provider of identities with its accounts in memory, as strict as django-oauth-toolkit can be."""

import secrets

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

_KEY = rsa.generate_private_key(public_exponent=65_537, key_size=2_048)
_LOGIN = '<form method="post">{% csrf_token %}{{ form.as_p }}<button>Sign in</button></form>'

SECRET_KEY = secrets.token_hex()
ALLOWED_HOSTS = ["127.0.0.1"]
ROOT_URLCONF = "tests.flows.django_provider.urls"
USE_TZ = True
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}}
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]  # quick: its accounts live as long as the tests
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions", "oauth2_provider"]
MIGRATION_MODULES = dict.fromkeys(("auth", "contenttypes", "sessions", "oauth2_provider"))  # tables, without their history
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
_LOADERS = [
    ("django.template.loaders.locmem.Loader", {"registration/login.html": _LOGIN}),
    "django.template.loaders.app_directories.Loader",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "OPTIONS": {"loaders": _LOADERS}}]
OAUTH2_PROVIDER = {
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": _KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
    "OAUTH2_VALIDATOR_CLASS": "tests.flows.django_provider.claims.Claims",
    "SCOPES": {"openid": "Who you are", "email": "Your address"},
    "PKCE_REQUIRED": True,
    "COMPLIANT_BCP_RFC9700_PKCE_METHOD": True,
    "COMPLIANT_BCP_RFC9700_AUTHZ_RESPONSE_ISS": True,
    "COMPLIANT_BCP_RFC9700_TOKEN_STORAGE": True,
}
