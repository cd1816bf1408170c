// SPDX-License-Identifier: MIT
#pragma once

// libfuse's low-level API, in the version that this code is written for.
#define FUSE_USE_VERSION 314
#include <fuse3/fuse_lowlevel.h>
