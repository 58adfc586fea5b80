"""A provider on this machine: OpenID Connect, and what is peculiar to LINE, Google and Facebook, over real HTTP.

It is as strict as the real ones: a code is good once, for one client, one redirect address and one PKCE verifier. Why
it refused something stands in `refusals`. A test says who signs in (`person`), and what shall go wrong:
`broken["token"] = 500` (a status), `slow["token"] = 2` (seconds), `garbled["token"] = [...]` (the answer itself).
"""

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import jwt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
STRANGERS_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
KID = "key-1"
_NAME = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "loopback")])
CERTIFICATE = (
    x509.CertificateBuilder()
    .subject_name(_NAME)
    .issuer_name(_NAME)
    .public_key(KEY.public_key())
    .serial_number(1)
    .not_valid_before(datetime(2020, 1, 1, tzinfo=UTC))
    .not_valid_after(datetime(2020, 1, 1, tzinfo=UTC) + timedelta(days=36500))
    .sign(KEY, hashes.SHA256())
    .public_bytes(serialization.Encoding.PEM)
    .decode()
)


@dataclass
class Loopback:
    """What the provider knows, and what it was asked."""

    url: str = ""
    clients: dict[str, str] = field(default_factory=lambda: {"my-list": "a-secret-of-32-characters-or-more"})
    # Who sits before the browser; keys are the claims of OpenID Connect.
    person: dict[str, Any] = field(default_factory=lambda: {"sub": "person-1", "name": "Mei Lin"})
    userinfo: dict[str, Any] = field(default_factory=dict)  # said otherwise there than in the id_token
    claims: dict[str, Any] = field(default_factory=dict)  # said otherwise in the id_token
    broken: dict[str, int] = field(default_factory=dict)
    slow: dict[str, float] = field(default_factory=dict)
    garbled: dict[str, Any] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    access_tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)

    def asked(self, endpoint: str) -> list[dict[str, str]]:
        """The parameters of all requests to an endpoint, such as "oidc/token"."""
        return [parameters for name, parameters in self.requests if name == endpoint]

    def access_token(self, client_id: str = "my-list", expires_in: int = 3600) -> str:
        token = f"access-{secrets.token_hex(8)}"
        self.access_tokens[token] = {"client_id": client_id, "expires_in": expires_in}
        return token

    def id_token(self, issuer: str, client_id: str = "my-list", key: Any = KEY, **changes: Any) -> str:
        """Signed with RS256, or with HS256 where `key` is a text, as LINE does with the channel's secret."""
        claims = {"iss": issuer, "aud": client_id, "iat": time.time(), "exp": time.time() + 600}
        algorithm = "HS256" if isinstance(key, str) else "RS256"
        return jwt.encode({**claims, **self.person, **changes}, key, algorithm, headers={"kid": KID})

    # ------------------------------------------------------------ the steps all have in common
    def authorize(self, parameters: dict[str, str]) -> str:
        """Where the browser is sent back to, the person having said yes."""
        code = f"code-{secrets.token_hex(8)}"
        self.codes[code] = parameters
        answer = {"code": code, "state": parameters["state"]}
        return f"{parameters['redirect_uri']}?{urlencode(answer)}"

    def redeem(self, parameters: dict[str, str]) -> dict[str, str] | None:
        """What was asked for when the code was given out; None (and the reason in `refusals`) unless all fits."""
        asked = self.codes.pop(parameters.get("code", ""), None)
        if asked is None:
            return self._refuse("the code is unknown or used")
        if parameters["client_id"] != asked["client_id"]:
            return self._refuse("the code is another client's")
        if not hmac.compare_digest(self.clients[asked["client_id"]], parameters.get("client_secret", "")):
            return self._refuse("wrong secret")
        if parameters["redirect_uri"] != asked["redirect_uri"]:
            return self._refuse("another redirect address")
        verifier = parameters.get("code_verifier", "")
        digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        if asked.get("code_challenge_method") != "S256" or digest != asked.get("code_challenge"):
            return self._refuse("wrong PKCE verifier")
        return asked

    def _refuse(self, why: str) -> None:
        self.refusals.append(why)

    def _tokens(self, asked: dict[str, str], issuer: str, key: Any = KEY) -> dict[str, Any]:
        nonce = {"nonce": asked["nonce"]} if "nonce" in asked else {}
        tokens: dict[str, Any] = {
            "access_token": self.access_token(asked["client_id"]),
            "token_type": "Bearer",
            "expires_in": 3600,
            "refresh_token": "refresh-me",
        }
        if "openid" in asked["scope"].split():
            tokens["id_token"] = self.id_token(issuer, asked["client_id"], key, **{**nonce, **self.claims})
        return tokens

    # ------------------------------------------------------------ OpenID Connect
    def oidc_configuration(self, parameters: dict[str, str]) -> Any:
        base = f"{self.url}/oidc"
        return {
            "issuer": base,
            "authorization_endpoint": f"{base}/authorize",
            "token_endpoint": f"{base}/token",
            "userinfo_endpoint": f"{base}/userinfo",
            "jwks_uri": f"{base}/jwks",
            "token_endpoint_auth_methods_supported": ["client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
        }

    def oidc_token(self, parameters: dict[str, str]) -> Any:
        asked = self.redeem(parameters)
        return self._tokens(asked, f"{self.url}/oidc") if asked else None

    def oidc_jwks(self, parameters: dict[str, str]) -> Any:
        public = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(KEY.public_key()))
        return {"keys": [{**public, "kid": KID, "alg": "RS256", "use": "sig"}]}

    def oidc_userinfo(self, parameters: dict[str, str]) -> Any:
        if parameters["bearer"] not in self.access_tokens:
            return self._refuse("unknown access token")
        return {**self.person, **self.userinfo}

    # ------------------------------------------------------------ Google
    def google_token(self, parameters: dict[str, str]) -> Any:
        asked = self.redeem(parameters)
        return self._tokens(asked, f"{self.url}/google") if asked else None

    def google_certs(self, parameters: dict[str, str]) -> Any:
        return {KID: CERTIFICATE}

    # ------------------------------------------------------------ LINE
    LINE_ISSUER = "https://access.line.me"

    def line_token(self, parameters: dict[str, str]) -> Any:
        asked = self.redeem(parameters)
        return self._tokens(asked, self.LINE_ISSUER, self.clients[asked["client_id"]]) if asked else None

    def line_verify(self, parameters: dict[str, str]) -> Any:
        """POST: an id_token with the client it shall be for. GET: an access token, whosever it is."""
        if "access_token" in parameters:
            known = self.access_tokens.get(parameters["access_token"])
            return {"scope": "profile openid", **known} if known else self._refuse("unknown access token")
        client_id = parameters["client_id"]
        try:
            return jwt.decode(
                parameters["id_token"],
                self.clients[client_id],
                ["HS256"],
                audience=client_id,
                issuer=self.LINE_ISSUER,
            )
        except jwt.PyJWTError as error:
            return self._refuse(type(error).__name__)

    def line_profile(self, parameters: dict[str, str]) -> Any:
        if parameters["bearer"] not in self.access_tokens:
            return self._refuse("unknown access token")
        return {"userId": self.person["sub"], "displayName": self.person.get("name", ""), "pictureUrl": "https://x/y"}

    # ------------------------------------------------------------ Facebook
    def facebook_token(self, parameters: dict[str, str]) -> Any:
        if parameters["grant_type"] == "client_credentials":
            right = self.clients.get(parameters["client_id"]) == parameters["client_secret"]
            return {"access_token": "app-token"} if right else self._refuse("wrong secret")
        asked = self.redeem(parameters)
        return self._tokens(asked, "") if asked else None

    def facebook_me(self, parameters: dict[str, str]) -> Any:
        token = parameters["access_token"]
        known = self.access_tokens.get(token)
        if known is None:
            return self._refuse("unknown access token")
        secret = self.clients[known["client_id"]]
        if parameters["appsecret_proof"] != hmac.new(secret.encode(), token.encode(), hashlib.sha256).hexdigest():
            return self._refuse("wrong appsecret_proof")
        told = {"id": self.person["sub"], "name": self.person.get("name"), "email": self.person.get("email")}
        return {key: value for key, value in told.items() if value and key in parameters["fields"].split(",")}

    def facebook_debug(self, parameters: dict[str, str]) -> Any:
        known = self.access_tokens.get(parameters["input_token"])
        return {"data": {"is_valid": known is not None, "app_id": known["client_id"] if known else ""}}


_ROUTES = {
    "oidc/.well-known/openid-configuration": Loopback.oidc_configuration,
    "oidc/token": Loopback.oidc_token,
    "oidc/jwks": Loopback.oidc_jwks,
    "oidc/userinfo": Loopback.oidc_userinfo,
    "google/token": Loopback.google_token,
    "google/certs": Loopback.google_certs,
    "line/token": Loopback.line_token,
    "line/verify": Loopback.line_verify,
    "line/profile": Loopback.line_profile,
    "facebook/oauth/access_token": Loopback.facebook_token,
    "facebook/me": Loopback.facebook_me,
    "facebook/debug_token": Loopback.facebook_debug,
}


class _Handler(BaseHTTPRequestHandler):
    loopback: Loopback

    def do_GET(self) -> None:
        self._answer(urlsplit(self.path).query)

    def do_POST(self) -> None:
        self._answer(self.rfile.read(int(self.headers["Content-Length"])).decode())

    def _answer(self, text: str) -> None:
        endpoint = urlsplit(self.path).path.strip("/")
        parameters = {key: values[0] for key, values in parse_qs(text).items()}
        if (authorization := self.headers.get("Authorization", "")).startswith("Bearer "):
            parameters["bearer"] = authorization.removeprefix("Bearer ")
        self.loopback.requests.append((endpoint, parameters))
        last = endpoint.rpartition("/")[2]
        time.sleep(self.loopback.slow.get(last, 0))
        if last in self.loopback.broken:
            self._send(self.loopback.broken[last], {"error": "server_error"})
        elif last in self.loopback.garbled:
            self._send(200, self.loopback.garbled[last])
        elif last == "authorize":
            self.send_response(302)
            self.send_header("Location", self.loopback.authorize(parameters))
            self.send_header("Content-Length", "0")
            self.end_headers()
        else:
            answer = _ROUTES[endpoint](self.loopback, parameters)
            self._send(*((400, {"error": "invalid_request"}) if answer is None else (200, answer)))

    def _send(self, status: int, answer: Any) -> None:
        body = json.dumps(answer).encode()
        try:
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            pass  # who asked did not wait

    def log_message(self, *args: Any) -> None:
        pass


@contextmanager
def serve() -> Iterator[Loopback]:
    loopback = Loopback()
    handler = type("Handler", (_Handler,), {"loopback": loopback})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    loopback.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield loopback
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
