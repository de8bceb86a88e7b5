"""The web server of the dashboard, `streamlit run dashboard.py`: `app.py`, with its scripts packed on their way."""

import streamlit as st
from starlette.middleware import Middleware

from pages.components.packed import Packed
from pages.components.warm import warm_up

warm_up()
app = st.App("app.py", middleware=[Middleware(Packed)])
