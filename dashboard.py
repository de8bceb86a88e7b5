"""The web server of the dashboard, `streamlit run dashboard.py`: `app.py`, with its scripts packed on their way."""

from math import ceil

import streamlit as st
from starlette.middleware import Middleware
from streamlit import config

from pages.components.asked_page import AskedPage
from pages.components.clear_cache import keep_caches
from pages.components.demo import begin_demo
from pages.components.hosts import KnownHosts
from pages.components.own_files import OwnFiles, note_holders
from pages.components.packed import Packed
from pages.components.probes import NoNumbers, Probes
from pages.components.warm import warm_up
from scviz.settings import Settings

warm_up()
keep_caches()
note_holders()
st.secrets.load_if_toml_exists()  # some platforms have no other place for settings
settings = Settings.from_env()
config.set_option("server.maxUploadSize", ceil(1000 * settings.upload_gb))  # MB, before a byte is taken
if settings.demo:
    begin_demo(settings)
middleware = [
    Middleware(KnownHosts, names=settings.hosts),
    Middleware(NoNumbers, shown=settings.metrics),
    Middleware(OwnFiles, login=settings.login),
    Middleware(AskedPage),
    Middleware(Packed),
]
app = st.App("app.py", middleware=middleware, routes=Probes(settings).routes)
