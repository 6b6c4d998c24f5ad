// Visibility of what the SDK's shared library offers. Everything else in it is hidden.
#pragma once

#if defined(BACKPLANE_STATIC)
#define BACKPLANE_API
#else
#define BACKPLANE_API __attribute__((visibility("default")))
#endif
