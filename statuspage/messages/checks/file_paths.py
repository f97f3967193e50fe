"""Names of files and folders on our machines."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from statuspage.messages.checks.rule_types import CheckedText, Span, named

_ROOTS = (
    "etc|var|usr|opt|home|root|srv|mnt|tmp|data|proc|dev|bin|sbin|lib|app|apps|run|sys|boot|Users|"
    "Library|private|export|nfs|code|workspace|www|logs"
)
_PATH = re.compile(
    rf"(?<![\w./:-])(?:/(?:{_ROOTS})/[\w.@/+-]{{1,200}}|~/[\w.@/+-]{{2,200}})"
    r"|(?<![\w\\])[A-Za-z]:\\[^\s\"<>|]{1,200}"
    r"|(?<![\w\\])\\{1,2}[\w.$-]{2,60}\\[^\s\"<>|]{2,200}"
)
_ENDINGS = (
    "py|pyc|rb|erb|java|kt|kts|scala|go|rs|sh|bash|zsh|bat|cmd|ps1|psm1|yml|yaml|toml|ini|conf|cfg|"
    "cnf|config|env|properties|log|sql|sqlite3?|tf|tfvars|tfstate|hcl|jar|war|ear|class|php|pl|lua|"
    "ex|exs|erl|hs|clj|cs|csproj|sln|vb|cpp|cc|hpp|swift|ts|tsx|jsx|vue|pem|key|crt|cer|p12|pfx|"
    "jks|keystore|gradle|pom|lock|exe|dll|so|dylib|service|socket|unit|dmp|core|hprof|pcap|bak|"
    "dump|tgz|tar\\.gz|sql\\.gz|gz|rpm|deb|out|err|pid|sock|ipynb|proto|cron|inc|xml|js|mjs|json"
)
_FILE = re.compile(
    rf"(?<![\w@/.:-])[\w./-]{{1,160}}\.(?:{_ENDINGS})(?![\w-])(?:[:(]\d{{1,6}}\)?)?"
    r"|(?<![\w./-])(?:Dockerfile|Makefile|Jenkinsfile|docker-compose|crontab|my\.cnf)(?![\w-])"
    r"|(?<![\w./-])\.(?:env|bashrc|ssh|npmrc|netrc|pgpass|htaccess|htpasswd|gitlab-ci)(?![\w-])"
)
# What is called like a file and is none, or is one of the reader's own.
_NO_FILES: Final = named(
    "node.js next.js vue.js nuxt.js react.js express.js three.js d3.js angular.js ember.js "
    "asp.net package.json package-lock.json tsconfig.json composer.json backbone.js alpine.js "
    "chart.js bower.json tar.gz pom.xml yarn.lock gemfile.lock dependabot.yml action.yml "
    "workflow.yml fly.toml netlify.toml vercel.json wrangler.toml pyproject.toml cargo.toml "
    "cargo.lock composer.lock go.mod requirements.txt robots.txt sitemap.xml llms.txt .npmrc "
    "next.config.js nuxt.config.js vite.config.js webpack.config.js package.lock "
    "manifest.json settings.json config.json index.js main.js app.js swagger.json openapi.json "
    "openapi.yaml schema.json web.config htaccess .htaccess buildpacks.toml deno.json bun.lock "
    "pnpm-lock.yaml mix.exs socket.io esm.sh install.sh get.sh sw.js service-worker.js"
)
# What every reader has on the own machine.
_READERS = re.compile(
    r"[A-Za-z]:\\Windows(?:\\|$)|/(?:Library|Users)/|~/(?:Library|Downloads)", re.IGNORECASE
)


def find_files(checked: CheckedText) -> Iterator[Span]:
    """Files and folders: ``/var/log/app.log``, ``C:\\\\Services``, ``checkout.py:142``."""
    for found in _PATH.finditer(checked.text):
        if not _READERS.match(found[0]):
            yield Span(*found.span())
    for found in _FILE.finditer(checked.text):
        if found[0].lower() not in _NO_FILES:
            yield Span(*found.span())
