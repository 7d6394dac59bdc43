"""The rights in a release: SPDX ids, attribution, domains, what goes together."""
