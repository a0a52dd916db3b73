// SPDX-License-Identifier: Apache-2.0
//
// The shaders as they are given to the driver: valid by spirv-val, nothing in them contractable; the pipeline cache;
// the validation layer, which must have nothing to say.
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "harness.h"

namespace rayo_test {
namespace {

namespace fs = std::filesystem;

class Folder {
 public:
  Folder() {
    std::string name = (fs::temp_directory_path() / "rayo-vulkan-XXXXXX").string();
    path_ = mkdtemp(name.data());
  }
  ~Folder() { fs::remove_all(path_); }
  Folder(const Folder &) = delete;
  Folder &operator=(const Folder &) = delete;
  const fs::path &path() const { return path_; }

 private:
  fs::path path_;
};

using VulkanShaders = VulkanTest;

TEST_F(VulkanShaders, PassSpirvValAsEmbeddedAndAsGivenToTheDriver) {
  if (std::string(RAYO_SPIRV_VAL).empty()) GTEST_SKIP() << "no spirv-val (./dev deps vulkan)";
  const Folder folder;
  int shaders = 0;
  for (uint32_t index = 0;; ++index) {
    const char *name = nullptr;
    uint64_t words = 0;
    for (const uint32_t exact : {0u, 1u}) {
      const uint32_t *code = vulkan->control().shader(device, index, exact, &name, &words);
      if (words == 0) break;
      const fs::path file = folder.path() / (std::string(name) + (exact != 0 ? "-exact.spv" : ".spv"));
      std::ofstream(file, std::ios::binary)
          .write(reinterpret_cast<const char *>(code), static_cast<std::streamsize>(words * 4));
      const std::string command = std::string(RAYO_SPIRV_VAL) + " --target-env vulkan1.2 " + file.string();
      EXPECT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT: a path of our own
      ++shaders;
    }
    if (words == 0) break;
  }
  EXPECT_EQ(shaders, 12) << "6 shaders, as embedded and as given to the driver";
}

TEST_F(VulkanShaders, EveryFloatOperationIsDecoratedNoContraction) {
  constexpr uint32_t kDecorate = 71, kNoContraction = 42;
  for (uint32_t index = 0; index < 6; ++index) {
    const char *name = nullptr;
    uint64_t words = 0;
    const uint32_t *code = vulkan->control().shader(device, index, 1, &name, &words);
    std::vector<bool> decorated(code[3]);
    size_t operations = 0;
    for (uint64_t at = 5; at < words; at += code[at] >> 16) {
      const uint32_t opcode = code[at] & 0xffffu;
      if (opcode == kDecorate && code[at + 2] == kNoContraction) decorated[code[at + 1]] = true;
      if (opcode != 129 && opcode != 131 && opcode != 133 && opcode != 136) continue;  // FAdd, FSub, FMul, FDiv
      ++operations;
      EXPECT_TRUE(decorated[code[at + 2]]) << name << " id " << code[at + 2];
    }
    EXPECT_GT(operations, 0u) << name;
  }
}

TEST_F(VulkanShaders, ValidationLayerNoticesAMisuse) {
  const char *on = std::getenv("RAYO_VULKAN_VALIDATION");
  if (on == nullptr || std::string(on) != "1") GTEST_SKIP() << "RAYO_VULKAN_VALIDATION=1 is not set";
  EXPECT_EQ(vulkan->control().validation_messages(vulkan->instance), 0u) << Vulkan::said;
  vulkan->control().misuse(device);
  expected_messages = 1;
}

// Opens a device with the cache in `folder`, compiles one pipeline and closes; the value of 1 + 1.
float one_and_one(const char *folder) {
  ::setenv("RAYO_VULKAN_CACHE", folder, 1);
  float sum = 0;
  Vulkan vulkan;
  rayo_device *device = nullptr;
  rayo_error error{};
  if (vulkan.api->device_open(vulkan.instance, 0, &device, &error) != RAYO_OK) throw std::runtime_error(error.text);
  const rayo_kernel *kernel = mini::find_kernel(*vulkan.plugin, "add");
  const Tensor one = floats({1}, {});
  const std::vector<Tensor> operands = {one, one};
  const Described described(vulkan.host, "add", operands, one, {}, device);
  rayo_prepared prepared = mini::empty_prepared();
  if (kernel->prepare(vulkan.instance, &described.desc(), &prepared, &error) == RAYO_OK) sum = 2;
  kernel->release(vulkan.instance, prepared.state);
  vulkan.api->device_close(device);
  ::unsetenv("RAYO_VULKAN_CACHE");
  return sum;
}

TEST_F(VulkanShaders, PipelineCacheIsKeptAndDamageToItIsHarmless) {
  const Folder folder;
  const fs::path cache = folder.path() / "deep" / "cache";
  ASSERT_EQ(one_and_one(cache.c_str()), 2);
  ASSERT_TRUE(fs::exists(cache)) << "the folder is made";
  std::vector<fs::path> files;
  for (const auto &entry : fs::directory_iterator(cache))
    if (entry.path().filename() != "vulkan-devices.bin") files.push_back(entry.path());
  ASSERT_EQ(files.size(), 1u) << "one file, no temporary one beside it";
  struct stat status {};
  ASSERT_EQ(::stat(files[0].c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  const auto size = fs::file_size(files[0]);
  for (const uintmax_t keep : {uintmax_t{0}, uintmax_t{10}, size / 2, size - 1}) {
    fs::resize_file(files[0], keep);
    EXPECT_EQ(one_and_one(cache.c_str()), 2) << "cut to " << keep;
  }
  EXPECT_EQ(fs::file_size(files[0]), size) << "written anew";
  std::fstream(files[0], std::ios::in | std::ios::out | std::ios::binary)
      .seekp(static_cast<std::streamoff>(size / 2))
      .put('\x5a');
  EXPECT_EQ(one_and_one(cache.c_str()), 2) << "a byte changed";
}

TEST_F(VulkanShaders, PipelineCacheThatCannotBeWrittenIsDoneWithout) {
  EXPECT_EQ(one_and_one("/proc/nowhere"), 2);
  EXPECT_EQ(one_and_one("off"), 2);
  EXPECT_EQ(one_and_one("relative/path"), 2);
  EXPECT_FALSE(fs::exists("relative"));
}

}  // namespace
}  // namespace rayo_test
