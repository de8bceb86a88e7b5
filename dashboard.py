"""The web server of the dashboard, `streamlit run dashboard.py`: `app.py`, with its scripts packed on their way."""

import streamlit as st
from starlette.middleware import Middleware

from pages.components.asked_page import AskedPage
from pages.components.hosts import KnownHosts
from pages.components.packed import Packed
from pages.components.warm import warm_up
from scviz.settings import Settings

warm_up()
known = Middleware(KnownHosts, names=Settings.from_env().hosts)
app = st.App("app.py", middleware=[known, Middleware(AskedPage), Middleware(Packed)])
