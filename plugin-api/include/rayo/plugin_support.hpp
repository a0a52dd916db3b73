// SPDX-License-Identifier: Apache-2.0
//
// Part of plugin.hpp: the exception fence, structs that grow, and attributes of a descriptor. For plugins that write
// their own tables (a device tier, say) this alone is of use too.
#ifndef RAYO_PLUGIN_SUPPORT_HPP
#define RAYO_PLUGIN_SUPPORT_HPP

#include <rayo/plugin.h>

#include <cstring>
#include <initializer_list>
#include <new>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace rayo::plugin {

// ---- Errors: one fence ---------------------------------------------------------------------------------------------

// A status on its way to the fence. What else a callback throws arrives as RAYO_OUT_OF_MEMORY (bad_alloc) or
// RAYO_INTERNAL.
class Error : public std::runtime_error {
 public:
  Error(rayo_status status, const std::string &text) : std::runtime_error(text), status_(status) {}
  rayo_status status() const noexcept { return status_; }

 private:
  rayo_status status_;
};

// Writes into a caller's error; text is cut to fit. A NULL error is ignored.
inline void set_error(rayo_error *error, rayo_status status, const char *text) noexcept {
  if (error == nullptr) return;
  error->status = status;
  std::strncpy(error->text, text, RAYO_ERROR_TEXT - 1);
  error->text[RAYO_ERROR_TEXT - 1] = '\0';
}

// Runs body and turns what it throws into a status; report(status, text) is given the text.
template <class Report, class Body>
rayo_status fence_with(Report &&report, Body &&body) noexcept {
  rayo_status status = RAYO_INTERNAL;
  try {
    body();
    return RAYO_OK;
  } catch (const Error &e) {
    report(status = e.status(), e.what());
  } catch (const std::bad_alloc &) {
    report(status = RAYO_OUT_OF_MEMORY, "the plugin ran out of host memory");
  } catch (const std::exception &e) {
    report(status, e.what());
  } catch (...) {
    report(status, "the plugin threw something that is no std::exception");
  }
  return status;
}

// For cold functions (rayo_error *) and for hot ones (host->report_error).
template <class Body>
rayo_status fence(rayo_error *error, Body &&body) noexcept {
  return fence_with([error](rayo_status s, const char *text) { set_error(error, s, text); }, std::forward<Body>(body));
}
template <class Body>
rayo_status fence(const rayo_host *host, Body &&body) noexcept {
  return fence_with([host](rayo_status s, const char *text) { host->report_error(host, s, text); },
                    std::forward<Body>(body));
}

// ---- Structs that grow ---------------------------------------------------------------------------------------------

// The extension of that type in a struct's chain, or NULL.
inline const rayo_struct *find_extension(const void *next, uint32_t type) noexcept {
  for (auto *s = static_cast<const rayo_struct *>(next); s != nullptr; s = static_cast<const rayo_struct *>(s->next))
    if (s->struct_type == type) return s;
  return nullptr;
}

// Throws RAYO_UNSUPPORTED when the chain holds a must-understand extension that is not among `known`.
inline void check_extensions(const void *next, std::initializer_list<uint32_t> known = {}) {
  for (auto *s = static_cast<const rayo_struct *>(next); s != nullptr; s = static_cast<const rayo_struct *>(s->next)) {
    bool found = (s->struct_type & RAYO_MUST_UNDERSTAND) == 0;
    for (uint32_t type : known) found = found || type == s->struct_type;
    if (!found)
      throw Error(RAYO_UNSUPPORTED, "struct extension " + std::to_string(s->struct_type & ~RAYO_MUST_UNDERSTAND) +
                                        " must be understood and is not known to this plugin");
  }
}

// Fills a caller's struct: all but its header, and no further than the caller's struct_size.
template <class T>
void fill(T *out, const T &value) noexcept {
  constexpr std::size_t kHeader = sizeof(rayo_struct);
  const std::size_t size = out->struct_size < sizeof(T) ? out->struct_size : sizeof(T);
  if (size > kHeader)
    std::memcpy(reinterpret_cast<char *>(out) + kHeader, reinterpret_cast<const char *>(&value) + kHeader,
                size - kHeader);
}

// ---- Descriptors ---------------------------------------------------------------------------------------------------

inline bool same_dtype(DLDataType a, DLDataType b) noexcept {
  return a.code == b.code && a.bits == b.bits && a.lanes == b.lanes;
}

// The attribute of that name. The core has filled every attribute of the schema in, so a missing one is a defect:
// RAYO_INTERNAL.
inline const rayo_attr &attr(const rayo_op_desc &desc, std::string_view name, uint32_t kind) {
  for (uint32_t i = 0; i < desc.attr_count; ++i)
    if (name == desc.attrs[i].name) {
      if (desc.attrs[i].kind == kind) return desc.attrs[i];
      throw Error(RAYO_INTERNAL, "attribute '" + std::string(name) + "' has kind " +
                                     std::to_string(desc.attrs[i].kind) + ", expected " + std::to_string(kind));
    }
  throw Error(RAYO_INTERNAL, "attribute '" + std::string(name) + "' is not in the descriptor");
}
inline std::span<const int64_t> attr_ints(const rayo_op_desc &desc, std::string_view name) {
  const rayo_attr &a = attr(desc, name, RAYO_ATTR_INT);
  return {static_cast<const int64_t *>(a.data), a.count};
}
inline std::span<const double> attr_floats(const rayo_op_desc &desc, std::string_view name) {
  const rayo_attr &a = attr(desc, name, RAYO_ATTR_FLOAT);
  return {static_cast<const double *>(a.data), a.count};
}
inline std::string_view attr_string(const rayo_op_desc &desc, std::string_view name) {
  const rayo_attr &a = attr(desc, name, RAYO_ATTR_STRING);
  return {static_cast<const char *>(a.data), a.count};
}
template <class T>
T attr_scalar(std::span<const T> values, std::string_view name) {
  if (values.size() != 1)
    throw Error(RAYO_INTERNAL,
                "attribute '" + std::string(name) + "' has " + std::to_string(values.size()) + " values, expected 1");
  return values[0];
}
inline int64_t attr_int(const rayo_op_desc &desc, std::string_view name) {
  return attr_scalar(attr_ints(desc, name), name);
}
inline double attr_float(const rayo_op_desc &desc, std::string_view name) {
  return attr_scalar(attr_floats(desc, name), name);
}

}  // namespace rayo::plugin

#endif  // RAYO_PLUGIN_SUPPORT_HPP
