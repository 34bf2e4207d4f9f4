"""The programs of the test: server, bridge and IRC server. Each can be killed and started again."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

WAIT = 90


def until(condition, what, wait=WAIT):
    """Waits for a condition, and names it if it does not come true."""
    end = time.monotonic() + wait
    while time.monotonic() < end:
        found = condition()
        if found:
            return found
        time.sleep(0.02)
    raise SystemExit("gave up after %d s: %s" % (wait, what))


def free_port():
    """A port that is free now. Programs that are started again need the same one."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


def answers(port):
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
        return True
    except OSError:
        return False


class Program:
    """A program with its output in a file, which can be killed and started again."""

    def __init__(self, folder, name, command, port, environment=None):
        self.path = os.path.join(folder, name + ".out")
        self.name, self.command, self.port = name, command, port
        self.environment = {**os.environ, **(environment or {})}
        self.process = None
        self.begins, self.kills = 0, []
        open(self.path, "ab").close()

    def start(self):
        # Its output since this start begins here.
        self.begins = len(self.text())
        with open(self.path, "ab") as output:
            self.process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=self.environment)
        until(lambda: answers(self.port) or self.process.poll() is not None, "%s listens" % self.name)
        if self.process.poll() is not None:
            raise SystemExit("%s ended:\n%s" % (self.name, self.text()[-3000:]))

    def kill(self):
        """Kills it as a loss of power would end it, as far as a process can tell."""
        if self.process and self.process.poll() is None:
            self.kills.append(time.monotonic())
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def has_said(self, part):
        """Whether it has written a text since its last start."""
        return part in self.text()[self.begins:]

    def text(self):
        with open(self.path, encoding="utf-8", errors="replace") as file:
            return file.read()


def rookery(program, folder):
    port = free_port()
    data = os.path.join(folder, "data")
    command = [program, "serve", "--data", data, "--listen", "127.0.0.1:%d" % port, "--server-name", "bridge.test"]
    return Program(folder, "rookery", command, port)


def register(program, folder, registration):
    """Registers the bridge by its own file, as an operator does while the server runs."""
    data = os.path.join(folder, "data")
    added = subprocess.run(
        [program, "service", "add", registration, "--data", data], capture_output=True, text=True)
    if added.returncode:
        raise SystemExit("`rookery service add` failed:\n" + added.stdout + added.stderr)


def generate(packages, folder, listen_port):
    """The registration that the bridge writes itself. The server pushes to `listen_port`."""
    path = os.path.join(folder, "registration.yaml")
    subprocess.run(
        [sys.executable, "-m", "heisenbridge", "-c", path, "--generate", "-p", str(listen_port)],
        env={**os.environ, "PYTHONPATH": packages}, check=True, stdout=subprocess.DEVNULL)
    return path


def heisenbridge(packages, folder, registration, homeserver):
    port = free_port()
    command = [
        sys.executable, "-u", "-m", "heisenbridge", "-v", "-c", registration, "-l", "127.0.0.1", "-p", str(port),
        homeserver]
    return Program(folder, "heisenbridge", command, port, {"PYTHONPATH": packages})


def ngircd(program, folder):
    port = free_port()
    path = os.path.join(folder, "ngircd.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write("""\
[Global]
Name = irc.bridge.test
Info = The IRC server of the test
Listen = 127.0.0.1
Ports = %d
ServerUID = %d
ServerGID = %d
[Limits]
MaxConnectionsIP = 100
MaxJoins = 100
[Options]
DNS = no
Ident = no
PAM = no
[Channel]
Name = #rookery
Modes = n
""" % (port, os.getuid(), os.getgid()))
    return Program(folder, "ngircd", [program, "-n", "-f", path], port)


def lines_of(program, pattern):
    return re.findall(pattern, program.text())
