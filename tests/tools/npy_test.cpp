// SPDX-License-Identifier: Apache-2.0
//
// .npy files: what NumPy writes is read as NumPy sees it, what is written is read back, and every unsound file is
// refused with a message that names the file, what was found and what is legal.
#include "npy.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "command.hpp"
#include "dtypes.hpp"
#include "npy_header.hpp"

namespace rayo::tools {
namespace {

// A file that is removed at the end of the test.
class NpyTest : public ::testing::Test {
 protected:
  NpyTest() {
    char name[] = "/tmp/rayo-npy-XXXXXX";
    ::close(::mkstemp(name));
    path_ = name;
  }
  ~NpyTest() override { std::remove(path_.c_str()); }

  void put(const std::string &bytes) const { std::ofstream(path_, std::ios::binary) << bytes; }
  HostTensor read(const std::string &bytes, bool bf16 = false) const {
    put(bytes);
    return read_npy(path_, bf16);
  }
  // Expects a refusal with this status whose text names the file and has every one of `words`.
  void refuses(const std::string &bytes, rayo_status status, const std::vector<std::string> &words) const {
    put(bytes);
    try {
      read_npy(path_);
      FAIL() << "was read";
    } catch (const CommandError &error) {
      const std::string text = error.what();
      EXPECT_EQ(error.status(), status) << text;
      EXPECT_NE(text.find(path_), std::string::npos) << text;
      for (const std::string &word : words) EXPECT_NE(text.find(word), std::string::npos) << text << "\nlacks " << word;
    }
  }
  std::string path_;
};

// A file as NumPy lays it out: magic, version, length, header, data.
std::string npy(const std::string &header, const std::string &data, int major = 1) {
  std::string bytes = "\x93NUMPY";
  bytes += static_cast<char>(major);
  bytes += '\0';
  const std::size_t fields = major == 1 ? 2 : 4;
  const std::size_t length = header.size() + 1;
  for (std::size_t i = 0; i < fields; ++i) bytes += static_cast<char>((length >> (8 * i)) & 0xff);
  return bytes + header + "\n" + data;
}

std::string dict(const std::string &descr, const std::string &shape, const std::string &fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }";
}

template <typename T>
std::string data_of(const std::vector<T> &values) {
  return std::string(reinterpret_cast<const char *>(values.data()), values.size() * sizeof(T));
}

// The element at these indices, through the strides.
template <typename T>
T at(const HostTensor &tensor, const std::vector<int64_t> &indices) {
  int64_t offset = 0;
  for (std::size_t i = 0; i < indices.size(); ++i) offset += indices[i] * tensor.strides[i];
  return static_cast<const T *>(tensor.data.get())[offset];
}

TEST_F(NpyTest, ReadsEveryTypeOfVersions1To3) {
  for (int major = 1; major <= 3; ++major) {
    const HostTensor tensor = read(npy(dict("<f4", "(2, 3)"), data_of<float>({1, 2, 3, 4, 5, 6}), major));
    EXPECT_EQ(tensor.shape, (std::vector<int64_t>{2, 3}));
    EXPECT_EQ(at<float>(tensor, {1, 0}), 4.0F);
  }
  EXPECT_EQ(at<double>(read(npy(dict("<f8", "(1,)"), data_of<double>({0.1}))), {0}), 0.1);
  EXPECT_EQ(at<int8_t>(read(npy(dict("|i1", "(1,)"), data_of<int8_t>({-5}))), {0}), -5);
  EXPECT_EQ(at<uint8_t>(read(npy(dict("|u1", "(1,)"), data_of<uint8_t>({250}))), {0}), 250);
  EXPECT_EQ(at<int32_t>(read(npy(dict("=i4", "(1,)"), data_of<int32_t>({-70000}))), {0}), -70000);
  EXPECT_EQ(at<int64_t>(read(npy(dict("<i8", "(1,)"), data_of<int64_t>({1LL << 40}))), {0}), 1LL << 40);
  const HostTensor boolean = read(npy(dict("|b1", "(2,)"), data_of<uint8_t>({1, 0})));
  EXPECT_EQ(dtype_name(boolean.dtype), "u8");
  EXPECT_EQ(at<uint8_t>(boolean, {0}), 1);
  EXPECT_EQ(dtype_name(read(npy(dict("<f2", "(1,)"), data_of<uint16_t>({0x3c00}))).dtype), "f16");
  EXPECT_EQ(dtype_name(read(npy(dict("<u2", "(1,)"), data_of<uint16_t>({0x3f80})), true).dtype), "bf16");
}

TEST_F(NpyTest, FortranOrderKeepsTheLogicalElements) {
  // numpy.asfortranarray([[1, 2, 3], [4, 5, 6]]) stores 1 4 2 5 3 6.
  const HostTensor tensor = read(npy(dict("<f4", "(2, 3)", "True"), data_of<float>({1, 4, 2, 5, 3, 6})));
  EXPECT_EQ(tensor.strides, (std::vector<int64_t>{1, 2}));
  EXPECT_EQ(at<float>(tensor, {0, 1}), 2.0F);
  EXPECT_EQ(at<float>(tensor, {1, 2}), 6.0F);
  EXPECT_EQ(values_text(tensor), "1 2 3 4 5 6");
}

TEST_F(NpyTest, BigEndianIsSwapped) {
  const std::string bytes("\x3f\x80\x00\x00\xc0\x00\x00\x00", 8);
  const HostTensor tensor = read(npy(dict(">f4", "(2,)"), bytes));
  EXPECT_EQ(at<float>(tensor, {0}), 1.0F);
  EXPECT_EQ(at<float>(tensor, {1}), -2.0F);
}

TEST_F(NpyTest, RankZeroAndEmptyShapes) {
  const HostTensor scalar = read(npy(dict("<f4", "()"), data_of<float>({7})));
  EXPECT_TRUE(scalar.shape.empty());
  EXPECT_EQ(scalar.count, 1U);
  const HostTensor empty = read(npy(dict("<f4", "(3, 0)"), ""));
  EXPECT_EQ(empty.count, 0U);
  EXPECT_NE(empty.data, nullptr);
}

TEST_F(NpyTest, WhatIsWrittenIsReadBack) {
  const std::vector<std::vector<int64_t>> shapes = {{}, {1}, {0}, {5}, {2, 3}, {2, 0, 4}, {1, 2, 3, 1, 2}};
  for (const std::vector<int64_t> &shape : shapes) {
    HostTensor tensor = allocate_tensor(RAYO_F32, shape, false, "test");
    for (uint64_t i = 0; i < tensor.count; ++i) static_cast<float *>(tensor.data.get())[i] = static_cast<float>(i) / 3;
    std::FILE *file = std::fopen(path_.c_str(), "wb");
    write_npy(::fileno(file), tensor, path_);
    std::fclose(file);
    const HostTensor again = read_npy(path_);
    EXPECT_EQ(again.shape, shape);
    EXPECT_EQ(std::memcmp(again.data.get(), tensor.data.get(), tensor.bytes), 0);
  }
}

TEST_F(NpyTest, HeadersAreThoseOfNumpy) {
  // The bytes that numpy.save writes for float32 (2, 3): 128 bytes before the data.
  const std::string header = make_npy_header(RAYO_F32, {2, 3});
  const std::string text = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }";
  ASSERT_EQ(header.size(), 128U);
  EXPECT_EQ(header.substr(0, 10), std::string("\x93NUMPY\x01\x00\x76\x00", 10));
  EXPECT_EQ(header.substr(10, text.size()), text);
  EXPECT_EQ(header.back(), '\n');
  EXPECT_NE(make_npy_header(RAYO_I8, {4}).find("'|i1', 'fortran_order': False, 'shape': (4,), }"), std::string::npos);
  EXPECT_NE(make_npy_header(RAYO_F64, {}).find("'shape': (), }"), std::string::npos);
}

TEST_F(NpyTest, RefusesWhatIsNoNpyFile) {
  refuses("", RAYO_IO, {"it is empty"});
  refuses("hello, world", RAYO_IO, {"begins with 'hello,'", "\\x93NUMPY"});
  refuses(std::string("PK\x03\x04 and more"), RAYO_IO, {".npz"});
  refuses(std::string("\x80\x04\x95 and more"), RAYO_IO, {"pickle"});
  refuses("\x93NUM", RAYO_IO, {"truncated", "4 bytes"});
  refuses(npy(dict("<f4", "()"), "1234", 9), RAYO_UNSUPPORTED, {"version 9.0", "1.0, 2.0, 3.0"});
}

TEST_F(NpyTest, RefusesEveryTruncation) {
  const std::string whole = npy(dict("<f4", "(2, 3)"), data_of<float>({1, 2, 3, 4, 5, 6}));
  EXPECT_NO_THROW(read(whole));
  for (std::size_t size = 1; size < whole.size(); ++size) refuses(whole.substr(0, size), RAYO_IO, {"truncated"});
}

TEST_F(NpyTest, RefusesDataThatDoesNotMatchTheShape) {
  refuses(npy(dict("<f4", "(2, 3)"), std::string(23, 'x')), RAYO_IO, {"truncated", "24 bytes", "holds 23"});
  refuses(npy(dict("<f4", "(2, 3)"), std::string(25, 'x')), RAYO_IO, {"after the array", "holds 25"});
  refuses(npy(dict("|b1", "(2,)"), std::string("\x01\x02", 2)), RAYO_IO, {"bool element 1 holds 2", "0, 1"});
}

TEST_F(NpyTest, RefusesPickledObjectsAndUnsupportedTypes) {
  refuses(npy(dict("|O", "(1,)"), "whatever"), RAYO_REFUSED, {"pickled", "'|O'"});
  for (const char *type : {"<c8", "<U5", "<M8[s]", "<f16", "<u4", "<i2", "<u2", "", "<", "f3"}) {
    refuses(npy(dict(type, "(1,)"), "12345678"), RAYO_UNSUPPORTED,
            {std::string("'") + type + "'", "legal types: f2, f4, f8"});
  }
  refuses(npy("{'descr': [('x', '<f4')], 'fortran_order': False, 'shape': (1,), }", "1234"), RAYO_UNSUPPORTED,
          {"structured type"});
}

TEST_F(NpyTest, RefusesHugeHeadersWithoutReadingThem) {
  std::string bytes = npy(dict("<f4", "()") + std::string(70000, ' '), "1234", 2);
  refuses(bytes, RAYO_IO, {"header of", "65536"});
  bytes = std::string("\x93NUMPY\x02\x00\xff\xff\xff\xff", 12) + "{}";
  refuses(bytes, RAYO_IO, {"header of 4294967295 bytes", "65536"});
}

TEST_F(NpyTest, RefusesBadShapes) {
  refuses(npy(dict("<f4", "(-1,)"), "1234"), RAYO_IO, {"shape holds '-1", "from 0"});
  refuses(npy(dict("<f4", "(99999999999999999999,)"), "1234"), RAYO_IO, {"99999999999999999999"});
  refuses(npy(dict("<f4", "(4611686018427387904, 4)"), "1234"), RAYO_IO, {"4611686018427387904"});
  refuses(npy(dict("<f4", "(4611686018427387904, 4, 0)"), ""), RAYO_IO, {"4611686018427387904"});
  refuses(npy(dict("<f4", "4"), "1234"), RAYO_IO, {"a tuple"});
  refuses(npy(dict("<f4", "(1.5,)"), "1234"), RAYO_IO, {"'.5"});
  refuses(npy(dict("<f4", "(1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1)"), "1234"), RAYO_UNSUPPORTED, {"16"});
}

TEST_F(NpyTest, RefusesBadDictionaries) {
  const std::vector<std::string> headers = {
      "",
      "{",
      "{}",
      "[1, 2]",
      "{'descr': '<f4', 'fortran_order': False}",
      "{'descr': '<f4', 'fortran_order': 1, 'shape': ()}",
      "{'descr': '<f4, 'fortran_order': False, 'shape': ()}",
      "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': ()}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (), 'more': 1}",
      "{'descr': '<f4', 'fortran_order': False, 'shape': ()} + 1",
      "{'descr': '<f4', 'fortran_order': False, 'shape': (",
      "{'descr': __import__('os'), 'fortran_order': False, 'shape': ()}",
  };
  for (const std::string &header : headers) refuses(npy(header, "1234"), RAYO_IO, {"bad .npy header"});
}

TEST_F(NpyTest, RefusesEveryFlippedByteOrReadsSomethingOfTheFilesSize) {
  const std::string whole = npy(dict("<f4", "(2, 3)"), data_of<float>({1, 2, 3, 4, 5, 6}));
  for (std::size_t position = 0; position < whole.size() - 24; ++position) {
    for (int flip = 1; flip < 256; flip <<= 1) {
      std::string bytes = whole;
      bytes[position] = static_cast<char>(bytes[position] ^ flip);
      try {
        const HostTensor tensor = read(bytes);
        EXPECT_EQ(tensor.bytes, 24U) << "byte " << position << " flipped by " << flip;
      } catch (const CommandError &error) {
        EXPECT_NE(std::string(error.what()).find(path_), std::string::npos);
      }
    }
  }
}

TEST_F(NpyTest, RefusesWhatIsNoRegularFile) {
  for (const std::string &path : {std::string("/tmp"), std::string("/dev/zero"), path_ + ".missing"}) {
    try {
      read_npy(path);
      FAIL() << path << " was read";
    } catch (const CommandError &error) {
      EXPECT_EQ(error.status(), RAYO_IO);
      EXPECT_NE(std::string(error.what()).find(path), std::string::npos) << error.what();
    }
  }
  const std::string fifo = path_ + ".fifo";
  ASSERT_EQ(::mkfifo(fifo.c_str(), 0600), 0);
  EXPECT_THROW(read_npy(fifo), CommandError);  // and does not wait for a writer
  std::remove(fifo.c_str());
}

}  // namespace
}  // namespace rayo::tools
