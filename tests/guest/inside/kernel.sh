#!/usr/bin/env bash
# What tests/guest/kernel.sh looks at.
uname -r
cat /proc/mounts
env
