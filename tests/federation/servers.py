"""The servers of the test: Rookery, and Synapse with its own database in SQLite."""

import json
import os
import subprocess
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "bridge"))

import processes  # noqa: E402

# The longest pause of every server between two tries.
RETRY_LONGEST = "2s"


def rookery(program, folder, certificates, network, settings=()):
    """Rookery with federation by TLS on loopback. Its name is the address of its gate."""
    ca, certificate, key = certificates
    port, federation = processes.free_port(), processes.free_port()
    name = network.gate(federation)
    command = [
        program, "serve", "--data", os.path.join(folder, "data"), "--listen", "127.0.0.1:%d" % port,
        "--server-name", name, "--federation-listen", "127.0.0.1:%d" % federation,
        "--federation-certificate", certificate, "--federation-key", key, "--federation-ca", ca,
        "--federation-allow-networks", "127.0.0.1", "--federation-retry-longest", RETRY_LONGEST,
        "--limits-rate", "none", "--log", "info,rookery_federation=debug", *settings]
    server = processes.Program(folder, "rookery", command, port)
    server.federation_port, server.server_name = federation, name
    server.data = os.path.join(folder, "data")
    return server


def synapse(python, folder, certificates, network):
    """Synapse with TLS on loopback, whose limits for users and servers are out of the way."""
    ca, certificate, key = certificates
    port, federation = processes.free_port(), processes.free_port()
    name, path = network.gate(federation), os.path.join(folder, "homeserver.yaml")
    subprocess.run(
        [python, "-m", "synapse.app.homeserver", "--server-name", name, "--config-path", path, "--generate-config",
         "--report-stats=no"], cwd=folder, check=True, capture_output=True)
    log = os.path.join(folder, "log.yaml")
    with open(log, "w", encoding="utf-8") as file:
        json.dump({
            "version": 1, "disable_existing_loggers": False,
            "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
            "handlers": {"out": {"class": "logging.StreamHandler", "formatter": "plain"}},
            "root": {"level": "INFO", "handlers": ["out"]},
            "loggers": {"synapse.storage": {"level": "WARNING"}, "synapse.metrics": {"level": "WARNING"},
                        "synapse.access": {"level": "WARNING"}, "synapse.http.server": {"level": "WARNING"}},
        }, file)
    more = os.path.join(folder, "more.yaml")
    many = {"per_second": 100000, "burst_count": 100000}
    with open(more, "w", encoding="utf-8") as file:
        json.dump({
            "listeners": [
                {"port": port, "type": "http", "bind_addresses": ["127.0.0.1"], "resources": [{"names": ["client"]}]},
                {"port": federation, "type": "http", "bind_addresses": ["127.0.0.1"], "tls": True,
                 "resources": [{"names": ["federation"]}]},
            ],
            "tls_certificate_path": certificate, "tls_private_key_path": key,
            "federation_custom_ca_list": [ca], "ip_range_whitelist": ["127.0.0.1/32"],
            "federation_ip_range_blacklist": [], "trusted_key_servers": [], "log_config": log,
            "registration_shared_secret": "secret of the test", "database": {"name": "sqlite3", "args": {
                "database": os.path.join(folder, "homeserver.db")}},
            "rc_message": many, "rc_registration": many, "rc_login": {
                "address": many, "account": many, "failed_attempts": many},
            "rc_joins": {"local": many, "remote": many}, "rc_joins_per_room": many,
            "rc_invites": {"per_room": many, "per_user": many, "per_issuer": many},
            "rc_federation": {"window_size": 1000, "sleep_limit": 100000, "sleep_delay": 1, "reject_limit": 100000,
                              "concurrent": 100},
            # The last two are the pauses between the tries of one request.
            "federation": {"destination_min_retry_interval": "1s", "destination_max_retry_interval": RETRY_LONGEST,
                           "max_short_retry_delay": "1s", "max_long_retry_delay": "1s"},
        }, file)
    command = [python, "-m", "synapse.app.homeserver", "-c", path, "-c", more]
    server = processes.Program(folder, "synapse", command, port)
    server.federation_port, server.server_name = federation, name
    server.database = os.path.join(folder, "homeserver.db")
    return server
