"""How tables write numbers."""

import streamlit as st

TENTH, HUNDREDTH, DIGITS = (st.column_config.NumberColumn(format=f"%.{n}f") for n in (1, 2, 3))
SMALL = st.column_config.NumberColumn(format="%.2e")
"""For p values, and for effects far below 1."""
RATE = st.column_config.NumberColumn(format="%.2g")
"""For false discovery rates: 0.92, and 0.005."""
SHARE = st.column_config.NumberColumn(format="percent")
