// Rate limits, addresses of clients, and the bytes of answers.
#include <gtest/gtest.h>

#include "host/http/client_address.h"
#include "host/http/rate_limiter.h"
#include "host/http/response_writer.h"

namespace backplane::host {
namespace {

using http::RateClass;
using namespace std::chrono_literals;

TEST(RateLimiter, GivesABurstThenARate) {
  RateLimits limits;
  limits.read = {2, 3};
  RateLimiter limiter(limits);
  Instant now{};
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take(RateClass::read, "a", now), Duration::zero());
  EXPECT_EQ(limiter.take(RateClass::read, "a", now), 500ms);
  EXPECT_EQ(limiter.take(RateClass::read, "b", now), Duration::zero());
  now += 300ms;
  EXPECT_EQ(limiter.take(RateClass::read, "a", now), 200ms);
  now += 200ms;
  EXPECT_EQ(limiter.take(RateClass::read, "a", now), Duration::zero());
  EXPECT_EQ(limiter.take(RateClass::read, "a", now), 500ms);
  now += 1h;
  for (int i = 0; i < 3; ++i) EXPECT_EQ(limiter.take(RateClass::read, "a", now), Duration::zero());
  EXPECT_GT(limiter.take(RateClass::read, "a", now), Duration::zero());
}

TEST(RateLimiter, ClassesCountApartAndZeroIsNoLimit) {
  RateLimits limits;
  limits.read = {1, 1};
  limits.write = {0, 1};
  RateLimiter limiter(limits);
  EXPECT_EQ(limiter.take(RateClass::read, "a", {}), Duration::zero());
  EXPECT_GT(limiter.take(RateClass::read, "a", {}), Duration::zero());
  EXPECT_EQ(limiter.take(RateClass::login, "a", {}), Duration::zero());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.take(RateClass::write, "a", {}), Duration::zero());
  for (int i = 0; i < 100; ++i) EXPECT_EQ(limiter.take(RateClass::none, "a", {}), Duration::zero());
  limits.read = {0, 0};
  limiter.set_limits(limits);
  EXPECT_EQ(limiter.take(RateClass::read, "a", {}), Duration::zero());
}

TEST(RateLimiter, RemembersABoundedNumber) {
  RateLimits limits;
  limits.read = {0.001, 1};
  RateLimiter limiter(limits, 1600);
  for (int i = 0; i < 20'000; ++i) EXPECT_EQ(limiter.take(RateClass::read, std::to_string(i), {}), Duration::zero());
  EXPECT_LE(limiter.buckets(), 1600U);
  EXPECT_GT(limiter.buckets(), 800U);
}

TEST(TrustedProxies, BelievesTheChainAsFarAsItIsTrusted) {
  const TrustedProxies proxies = *TrustedProxies::parse({"127.0.0.1", "10.0.0.0/8", "fd00::/9"});
  EXPECT_TRUE(proxies.trusts("10.255.0.1"));
  EXPECT_TRUE(proxies.trusts("::ffff:10.1.1.1"));
  EXPECT_TRUE(proxies.trusts("fd12::1"));
  EXPECT_FALSE(proxies.trusts("fdff::1"));
  EXPECT_FALSE(proxies.trusts("11.0.0.1"));
  EXPECT_FALSE(proxies.trusts("nonsense"));
  EXPECT_EQ(proxies.client_of("192.0.2.1", "6.6.6.6"), "192.0.2.1");
  EXPECT_EQ(proxies.client_of("127.0.0.1", ""), "127.0.0.1");
  EXPECT_EQ(proxies.client_of("127.0.0.1", "6.6.6.6, 192.0.2.1 ,10.0.0.9"), "192.0.2.1");
  EXPECT_EQ(proxies.client_of("127.0.0.1", "10.0.0.8,10.0.0.9"), "10.0.0.8");
  EXPECT_EQ(proxies.client_of("127.0.0.1", "6.6.6.6, rubbish"), "127.0.0.1");
  EXPECT_EQ(proxies.client_of("127.0.0.1", "[2001:db8::1]:443"), "2001:db8::1");
  EXPECT_EQ(proxies.client_of("127.0.0.1", "192.0.2.1:80"), "192.0.2.1");
}

TEST(TrustedProxies, NamesABadEntry) {
  for (const char* entry : {"localhost", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "::/129", ""}) {
    const auto parsed = TrustedProxies::parse({entry});
    ASSERT_FALSE(parsed) << entry;
    EXPECT_EQ(parsed.error().text,
              "'" + std::string(entry) + "' is neither an address nor a network such as 10.0.0.0/8");
  }
}

TEST(AddressRateKey, OfIpv6IsTheNetwork) {
  EXPECT_EQ(address_rate_key("2001:db8:1:2::1"), address_rate_key("2001:db8:1:2:ffff::2"));
  EXPECT_NE(address_rate_key("2001:db8:1:2::1"), address_rate_key("2001:db8:1:3::1"));
  EXPECT_NE(address_rate_key("192.0.2.1"), address_rate_key("192.0.2.2"));
}

TEST(WriteHead, IsWhatGoesOverTheWire) {
  http::Response response = http::Response::json("{}");
  response.headers = {{"ETag", "\"1\""}};
  WriteOptions options;
  options.wall_ms = 784111777000;
  EXPECT_EQ(write_head(response, options),
            "HTTP/1.1 200 OK\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Type: application/json\r\n"
            "Content-Length: 2\r\nETag: \"1\"\r\n\r\n");
  response.status = 304;
  options.keep_alive = false;
  EXPECT_EQ(
      write_head(response, options),
      "HTTP/1.1 304 Not Modified\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nETag: \"1\"\r\nConnection: close\r\n\r\n");
}

}  // namespace
}  // namespace backplane::host
