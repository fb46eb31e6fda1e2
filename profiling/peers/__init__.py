# SPDX-License-Identifier: MIT
"""What profiling/compare needs to know of each system it measures."""
