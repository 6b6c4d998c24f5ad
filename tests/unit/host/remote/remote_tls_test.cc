// Calls over TLS: both ends show a certificate of an authority that the other one trusts, or there is no call.
#include <gtest/gtest.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include <filesystem>

#include "support/internal_hosts.h"
#include "support/temporary_folder.h"

namespace backplane::host::test {
namespace {

using namespace std::chrono_literals;

/// An authority that signs certificates for an hour, and files of both.
class Authority {
 public:
  Authority(const std::string& folder, const std::string& name) : folder_(folder), name_(name) {
    key_ = EVP_EC_gen("P-256");
    certificate_ = make(name, key_, nullptr);
    write(file(), [&](FILE* out) { PEM_write_X509(out, certificate_); });
  }
  ~Authority() {
    X509_free(certificate_);
    EVP_PKEY_free(key_);
  }
  Authority(const Authority&) = delete;
  Authority& operator=(const Authority&) = delete;

  std::string file() const { return folder_ + "/" + name_ + ".pem"; }
  /// A certificate for a host's name, and its key; the third file is this authority's.
  TlsFiles sign(const std::string& host) {
    EVP_PKEY* const key = EVP_EC_gen("P-256");
    X509* const certificate = make(host, key, this);
    const TlsFiles files{folder_ + "/" + name_ + "-" + host + ".pem", folder_ + "/" + name_ + "-" + host + ".key",
                         file()};
    write(files.certificate, [&](FILE* out) { PEM_write_X509(out, certificate); });
    write(files.private_key, [&](FILE* out) { PEM_write_PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr); });
    X509_free(certificate);
    EVP_PKEY_free(key);
    return files;
  }

 private:
  static X509* make(const std::string& name, EVP_PKEY* key, const Authority* issuer) {
    X509* const certificate = X509_new();
    X509_set_version(certificate, 2);
    ASN1_INTEGER_set(X509_get_serialNumber(certificate), issuer == nullptr ? 1 : 2);
    X509_gmtime_adj(X509_getm_notBefore(certificate), -60);
    X509_gmtime_adj(X509_getm_notAfter(certificate), 3600);
    X509_NAME* const subject = X509_get_subject_name(certificate);
    X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, reinterpret_cast<const unsigned char*>(name.c_str()), -1,
                               -1, 0);
    X509_set_issuer_name(certificate, issuer == nullptr ? subject : X509_get_subject_name(issuer->certificate_));
    const auto extend = [&](int what, const std::string& value) {
      X509_EXTENSION* const extension = X509V3_EXT_conf_nid(nullptr, nullptr, what, value.c_str());
      X509_add_ext(certificate, extension, -1);
      X509_EXTENSION_free(extension);
    };
    if (issuer == nullptr) extend(NID_basic_constraints, "critical,CA:TRUE");
    else extend(NID_subject_alt_name, "DNS:" + name);
    X509_set_pubkey(certificate, key);
    X509_sign(certificate, issuer == nullptr ? key : issuer->key_, EVP_sha256());
    return certificate;
  }
  static void write(const std::string& path, const std::function<void(FILE*)>& content) {
    FILE* const file = std::fopen(path.c_str(), "w");
    content(file);
    std::fclose(file);
  }

  const std::string folder_, name_;
  EVP_PKEY* key_ = nullptr;
  X509* certificate_ = nullptr;
};

struct RemoteTlsTest : ::testing::Test {
  RemoteTlsTest() {
    provider.greet.bind([](const api::CallContext&, const GreetRequest& request) -> Result<GreetResponse> {
      return GreetResponse{"hello " + request.name, "", "", ""};
    });
  }
  std::unique_ptr<ServingHost> serve(TlsFiles files) {
    ServingHost::Options options;
    options.tls = std::move(files);
    return std::make_unique<ServingHost>("one", provider, nullptr, options);
  }
  /// What a caller with these files gets.
  static Result<GreetResponse> call(const ServingHost& serving, const TlsFiles& files) {
    const auto tls = TlsContext::load_for_calls(files);
    if (!tls) return tls.error();
    CallingHost calling("not to be guessed", *tls);
    Greeter consumer;
    calling.router({{"one", &calling.host("one", serving.url())}}).bind(consumer);
    const api::CallContext context{.deadline = system_clock().now() + 20s};
    (void)consumer.greet(context, {"first", {}, {}});
    return consumer.greet(context, {"you", {}, {}});  // on the kept connection, when there is one
  }

  testing_support::TemporaryFolder folder;
  Authority ours{folder.path(), "ours"}, theirs{folder.path(), "theirs"};
  Greeter provider;
};

TEST_F(RemoteTlsTest, a_caller_that_trusts_the_authority_is_answered) {
  TlsFiles shown = ours.sign("localhost");
  shown.authority.clear();  // any caller
  const auto serving = serve(shown);
  const auto answer = call(*serving, {"", "", ours.file()});
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_EQ(answer->text, "hello you");
}

TEST_F(RemoteTlsTest, a_caller_refuses_a_certificate_of_another_authority_or_name) {
  TlsFiles shown = ours.sign("localhost");
  shown.authority.clear();
  const auto serving = serve(shown);
  const auto stranger = call(*serving, {"", "", theirs.file()});
  ASSERT_FALSE(stranger.ok());
  EXPECT_EQ(stranger.error().reason, "host_unreachable");
  EXPECT_NE(stranger.error().text.find("no TLS connection"), std::string::npos) << stranger.error().text;

  TlsFiles other_name = ours.sign("elsewhere.test");
  other_name.authority.clear();
  const auto impostor = serve(other_name);
  const auto misled = call(*impostor, {"", "", ours.file()});
  ASSERT_FALSE(misled.ok());
  EXPECT_NE(misled.error().text.find("ostname mismatch"), std::string::npos) << misled.error().text;
}

TEST_F(RemoteTlsTest, a_listener_that_asks_for_certificates_answers_only_those_who_have_one) {
  const auto serving = serve(ours.sign("localhost"));
  const TlsFiles known = ours.sign("caller");
  const auto answer = call(*serving, known);
  ASSERT_TRUE(answer.ok()) << answer.error().text;
  EXPECT_FALSE(call(*serving, {"", "", ours.file()}).ok()) << "no certificate";
  TlsFiles wrong = theirs.sign("caller");
  wrong.authority = ours.file();
  EXPECT_FALSE(call(*serving, wrong).ok()) << "a certificate of somebody else";
}

TEST_F(RemoteTlsTest, says_which_file_is_wrong) {
  const auto missing = TlsContext::load_for_calls({"", "", folder.path() + "/nothing.pem"});
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().text.find("nothing.pem"), std::string::npos);
  TlsFiles mixed = ours.sign("caller");
  mixed.private_key = theirs.sign("caller").private_key;
  EXPECT_FALSE(TlsContext::load_for_calls(mixed).ok());
}

}  // namespace
}  // namespace backplane::host::test
