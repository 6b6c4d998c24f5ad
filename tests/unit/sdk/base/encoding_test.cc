#include "backplane/base/encoding.h"

#include <gtest/gtest.h>

namespace backplane {
namespace {

TEST(Encoding, base64_is_unpadded) {  // Spec: appendices, "Unpadded Base64"
  const std::pair<std::string, std::string> vectors[] = {
      {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},         {"foo", "Zm9v"},
      {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : vectors) {
    EXPECT_EQ(base64(bytes), text);
    EXPECT_EQ(decode_base64(text), bytes);
  }
  EXPECT_EQ(base64("\xfb\xff\xfe"), "+//+");
  EXPECT_EQ(base64_url("\xfb\xff\xfe"), "-__-");
}

TEST(Encoding, base64_is_decoded_in_either_alphabet_padded_or_not) {
  EXPECT_EQ(decode_base64("+//+"), "\xfb\xff\xfe");
  EXPECT_EQ(decode_base64("-__-"), "\xfb\xff\xfe");
  EXPECT_EQ(decode_base64("Zg=="), "f");
  EXPECT_EQ(decode_base64("Zm8="), "fo");
  for (const char* text : {"Z", "Zg=", "Z===", "====", "=", "Zm9v Yg", "Zm9v\n", "Zm!v"}) {
    EXPECT_EQ(decode_base64(text), std::nullopt) << text;
  }
}

TEST(Encoding, hex_and_percent) {
  EXPECT_EQ(hex(std::string("\x00\xff\x1a", 3)), "00ff1a");
  EXPECT_EQ(decode_hex("00FF1a"), std::string("\x00\xff\x1a", 3));
  EXPECT_EQ(decode_hex("0"), std::nullopt);
  EXPECT_EQ(decode_hex("0g"), std::nullopt);
  EXPECT_EQ(percent_encode("!a/b:c ~é"), "%21a%2Fb%3Ac%20~%C3%A9");
  EXPECT_EQ(percent_decode("%21a%2fb+"), "!a/b+");
  EXPECT_EQ(percent_decode("a+b", true), "a b");
  EXPECT_EQ(percent_decode("%2"), std::nullopt);
  EXPECT_EQ(percent_decode("%zz"), std::nullopt);
}

TEST(Encoding, digests) {
  EXPECT_EQ(hex(as_text(sha256("abc"))), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_TRUE(equal_secrets("abc", "abc"));
  EXPECT_FALSE(equal_secrets("abc", "abd"));
  EXPECT_FALSE(equal_secrets("abc", "ab"));
  EXPECT_NE(stable_hash("a"), stable_hash("b"));
}

TEST(Encoding, utf8) {
  EXPECT_TRUE(is_utf8("日本"));
  EXPECT_TRUE(is_utf8(""));
  EXPECT_FALSE(is_utf8("\xed\xa0\x80"));
  EXPECT_FALSE(is_utf8("\xc0\x80"));
}

}  // namespace
}  // namespace backplane
