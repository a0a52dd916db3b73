// SPDX-License-Identifier: Apache-2.0
//
// The static look against a real plugin, cut and flipped in thousands of ways. It must always come back with an answer.
#include "loader/elf_look.hpp"

#include <elf.h>
#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <random>

#include "temp_folder.hpp"

namespace rayo {
namespace {

using rayo_test::read_file;
using rayo_test::TempFolder;

std::string fixture(const std::string &name) { return std::string(RAYO_FIXTURE_DIR) + "/" + name + ".so"; }

TEST(ElfLook, ReadsTheNoteOfAPlugin) {
  const ElfLook look = look_at_elf(fixture("good"));
  EXPECT_EQ(look.reason, "");
  ASSERT_TRUE(look.has_note);
  EXPECT_STREQ(look.note.name, "good");
  EXPECT_STREQ(look.note.vendor, "Test");
  EXPECT_EQ(look.note.abi_version, RAYO_ABI_VERSION);
  EXPECT_EQ(look.note.tiers, RAYO_TIER_HOST);
  const ElfLook far = look_at_elf(fixture("needs_bit40"));
  EXPECT_EQ(far.note.cpu_high, 1u << 8);
}

TEST(ElfLook, SaysWhatIsMissing) {
  EXPECT_NE(look_at_elf(fixture("no_note")).reason.find("has no .note.rayo section"), std::string::npos);
  EXPECT_NE(look_at_elf(fixture("no_symbol")).reason.find("does not export rayo_plugin_query"), std::string::npos);
  EXPECT_NE(look_at_elf(fixture("short_name")).reason.find("name"), std::string::npos);
}

TEST(ElfLook, RefusesWhatIsNoFile) {
  const TempFolder folder;
  EXPECT_NE(look_at_elf(folder.path()).reason.find("a folder"), std::string::npos);
  ASSERT_EQ(mkfifo((folder / "fifo.so").c_str(), 0600), 0);
  EXPECT_NE(look_at_elf(folder / "fifo.so").reason.find("a FIFO"), std::string::npos);
  EXPECT_NE(look_at_elf("/dev/zero").reason.find("a device"), std::string::npos);
  EXPECT_NE(look_at_elf(folder / "missing.so").reason.find("cannot be opened"), std::string::npos);
  folder.write("empty.so", {});
  EXPECT_NE(look_at_elf(folder / "empty.so").reason.find("empty"), std::string::npos);
  folder.write("text.so", {'h', 'e', 'l', 'l', 'o'});
  EXPECT_NE(look_at_elf(folder / "text.so").reason.find("not an ELF"), std::string::npos);
}

TEST(ElfLook, RefusesATenGigabyteSparseFileAtOnce) {
  const TempFolder folder;
  const int fd = ::open((folder / "sparse.so").c_str(), O_CREAT | O_WRONLY, 0600);
  ASSERT_GE(fd, 0);
  const bool made = ftruncate(fd, off_t{10} << 30) == 0;
  ::close(fd);
  if (!made) GTEST_SKIP() << "this file system has no 10 GB sparse files";
  EXPECT_NE(look_at_elf(folder / "sparse.so").reason.find("not an ELF"), std::string::npos);
  // The same with a whole plugin in front: the look depends on the claims, not on the size.
  std::filesystem::copy_file(fixture("good"), folder / "big.so");
  ASSERT_EQ(truncate((folder / "big.so").c_str(), off_t{10} << 30), 0);
  EXPECT_EQ(look_at_elf(folder / "big.so").reason, "");
}

TEST(ElfLook, RefusesOtherMachinesAndClasses) {
  const TempFolder folder;
  const auto changed = [&](size_t offset, char value) {
    std::vector<char> bytes = read_file(fixture("good"));
    bytes[offset] = value;
    folder.write("x.so", bytes);
    return look_at_elf(folder / "x.so").reason;
  };
  EXPECT_NE(changed(EI_CLASS, ELFCLASS32).find("64-bit"), std::string::npos);
  EXPECT_NE(changed(EI_DATA, ELFDATA2MSB).find("little-endian"), std::string::npos);
  EXPECT_NE(changed(offsetof(Elf64_Ehdr, e_machine), 40).find("another machine"), std::string::npos);
  EXPECT_NE(changed(offsetof(Elf64_Ehdr, e_type), ET_EXEC).find("no shared object"), std::string::npos);
}

TEST(ElfLook, RefusesEveryTruncation) {
  const TempFolder folder;
  const std::vector<char> whole = read_file(fixture("good"));
  ASSERT_GT(whole.size(), 1000u);
  folder.write("cut.so", whole);
  size_t tried = 0;
  // From the end down by 64 bytes, the last byte included: a linker leaves nothing behind the section headers.
  for (size_t size = whole.size() - 1;; size = (size - 1) / 64 * 64, ++tried) {
    ASSERT_EQ(truncate((folder / "cut.so").c_str(), static_cast<off_t>(size)), 0);
    ASSERT_NE(look_at_elf(folder / "cut.so").reason, "") << "cut to " << size << " of " << whole.size() << " bytes";
    if (size == 0) break;
  }
  EXPECT_GE(tried, whole.size() / 64);
}

TEST(ElfLook, SurvivesFlippedBits) {
  const TempFolder folder;
  const std::vector<char> whole = read_file(fixture("good"));
  std::mt19937 random(20240607);
  size_t refused = 0;
  constexpr int kFiles = 4000;
  const int fd = ::open((folder / "flip.so").c_str(), O_CREAT | O_RDWR, 0600);
  ASSERT_GE(fd, 0);
  ASSERT_EQ(pwrite(fd, whole.data(), whole.size(), 0), static_cast<ssize_t>(whole.size()));
  for (int i = 0; i < kFiles; ++i) {
    std::vector<size_t> places;
    for (uint32_t flips = 1 + random() % 8; flips > 0; --flips) {
      // Half of the flips hit the headers, where the numbers are.
      const size_t place = random() % (random() % 2 != 0 ? size_t{2048} : whole.size());
      const char byte = static_cast<char>(whole[place] ^ (1 << random() % 8));
      ASSERT_EQ(pwrite(fd, &byte, 1, static_cast<off_t>(place)), 1);
      places.push_back(place);
    }
    const ElfLook look = look_at_elf(folder / "flip.so");
    if (!look.reason.empty()) ++refused;
    if (look.has_note) {
      EXPECT_NE(std::memchr(look.note.name, '\0', sizeof look.note.name), nullptr);
    }
    for (const size_t place : places) ASSERT_EQ(pwrite(fd, &whole[place], 1, static_cast<off_t>(place)), 1);
  }
  ::close(fd);
  EXPECT_GT(refused, size_t{kFiles} / 20);  // most flips hit code and data, which the look does not judge
  EXPECT_EQ(look_at_elf(folder / "flip.so").reason, "");
}

TEST(ElfLook, SurvivesHostileNumbersInEveryHeaderField) {
  const TempFolder folder;
  const std::vector<char> whole = read_file(fixture("good"));
  Elf64_Ehdr header{};
  std::memcpy(&header, whole.data(), sizeof header);
  const size_t end = header.e_phoff + size_t{header.e_phnum} * sizeof(Elf64_Phdr);
  size_t refused = 0;
  for (size_t at = sizeof(header.e_ident); at + 8 <= end; at += 2) {
    for (const uint64_t value : {uint64_t{0}, uint64_t{0xffff}, ~uint64_t{0}, uint64_t{1} << 63, ~uint64_t{0} - 7}) {
      std::vector<char> bytes = whole;
      std::memcpy(bytes.data() + at, &value, sizeof value);
      folder.write("field.so", bytes);
      refused += look_at_elf(folder / "field.so").reason.empty() ? 0 : 1;
    }
  }
  EXPECT_GT(refused, 500u);
}

}  // namespace
}  // namespace rayo
