// SPDX-License-Identifier: Apache-2.0
//
// The skeleton plugin is ready, and offers nothing.
#include <gtest/gtest.h>

#include "mini_host.h"

namespace {

TEST(NullPlugin, IsReadyWithoutKernelsOrDevices) {
  const mini::Plugin file(NULL_FILE);
  mini::Host host;
  const rayo_plugin *plugin = file.query(host);
  EXPECT_EQ(plugin, file.query(host)) << "query must be repeatable";
  EXPECT_STREQ(plugin->name, "null");
  EXPECT_EQ(plugin->struct_size, sizeof(rayo_plugin));
  EXPECT_EQ(plugin->kernel_count, 0u);
  EXPECT_EQ(plugin->schema_count, 0u);
  EXPECT_EQ(plugin->device_api, nullptr);
  rayo_instance *first = nullptr, *second = nullptr;
  rayo_error error{};
  ASSERT_EQ(plugin->create(&host, &first, &error), RAYO_OK) << error.text;
  ASSERT_EQ(plugin->create(&host, &second, &error), RAYO_OK) << error.text;
  EXPECT_NE(first, second);
  plugin->destroy(first);
  plugin->destroy(second);
}

TEST(NullPlugin, QueryChecksItsArguments) {
  const mini::Plugin file(NULL_FILE);
  mini::Host host;
  const rayo_plugin *plugin = nullptr;
  EXPECT_EQ(file.query_fn()(nullptr, RAYO_ABI_VERSION, &plugin), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(file.query_fn()(&host, RAYO_ABI_VERSION, nullptr), RAYO_INVALID_ARGUMENT);
  EXPECT_EQ(file.query_fn()(&host, (RAYO_ABI_MAJOR + 1) << 16, &plugin), RAYO_REFUSED);
}

}  // namespace
