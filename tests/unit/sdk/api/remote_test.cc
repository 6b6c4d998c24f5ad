// A remote made of two texts: what a call looks like when its provider is in another process.
#include <gtest/gtest.h>

#include "test_interface.h"

namespace backplane::api::test {
namespace {

/// Carries calls to `provider` as JSON, both ways, like the remote in the host.
struct Remote {
  const Oracle& provider;
  std::vector<std::string> requests, responses;

  void operator()(const MethodBase& method, const CallContext& context, const void* request,
                  MethodBase::Finish finish) {
    std::string text;
    json::Writer out(text);
    method.request_codec().encode(out, request);
    requests.push_back(text);
    const MethodBase& target = *provider.find_method(method.name());
    const std::shared_ptr<void> arrived = target.request_codec().create();
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document) << text;
    ASSERT_TRUE(target.request_codec().decode(document->root(), arrived.get()));
    target.serve(context, arrived.get(),
                 [this, &method, finish = std::move(finish)](Result<std::shared_ptr<void>> result) {
                   if (!result) return finish(std::move(result).error());
                   std::string answer;
                   json::Writer writer(answer);
                   method.response_codec().encode(writer, result->get());
                   responses.push_back(answer);
                   const std::shared_ptr<void> back = method.response_codec().create();
                   const auto parsed = json::Document::parse(answer);
                   ASSERT_TRUE(parsed) << answer;
                   ASSERT_TRUE(method.response_codec().decode(parsed->root(), back.get()));
                   finish(back);
                 });
  }
};

struct RemoteTest : ::testing::Test {
  RemoteTest() {
    for (MethodBase* method : consumer.methods()) {
      method->bind_remote([this](const MethodBase& m, const CallContext& context, const void* request,
                                 MethodBase::Finish finish) { remote(m, context, request, std::move(finish)); });
    }
  }
  Oracle provider, consumer;
  Remote remote{provider, {}, {}};
};

TEST_F(RemoteTest, CarriesEveryKindOfField) {
  provider.echo.bind([](const CallContext&, const Everything& request) -> Result<Everything> { return request; });
  const Everything sent = everything();
  const auto back = consumer.echo({}, sent);
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_EQ(to_json(*back), to_json(sent));
  EXPECT_EQ(back->user, sent.user);
  EXPECT_EQ(back->number, sent.number);
  EXPECT_EQ(back->small, sent.small);
  EXPECT_EQ(back->text, sent.text);
  EXPECT_EQ(back->maybe, sent.maybe) << "an empty string is not an absent one";
  EXPECT_EQ(back->lists, sent.lists);
  EXPECT_EQ(back->mood, Mood::sad);
  EXPECT_EQ(back->raw.text, sent.raw.text);
  EXPECT_EQ(back->bytes.data, sent.bytes.data);
  ASSERT_EQ(back->details.size(), 2U);
  EXPECT_EQ(back->details[0].text, "one");
}

TEST_F(RemoteTest, LeavesDefaultsAsTheyWere) {
  provider.echo.bind([](const CallContext&, const Everything& request) -> Result<Everything> { return request; });
  const auto back = consumer.echo({}, {});
  ASSERT_TRUE(back) << back.error().text;
  EXPECT_FALSE(back->maybe);
  EXPECT_TRUE(back->raw.empty());
  EXPECT_TRUE(back->bytes.data.empty());
}

TEST_F(RemoteTest, CarriesErrorsOfBothKindsOfMethods) {
  const Error error = conflict("room_in_use", "taken").with("room_version", "12");
  provider.ask.bind([&](const CallContext&, const Question&) -> Result<Answer> { return error; });
  provider.ask_afar.bind([&](const CallContext&, const Question&, const Reply<Answer>& reply) { reply(error); });
  EXPECT_EQ(consumer.ask({}, {}).error(), error);
  std::optional<Error> caught;
  consumer.ask_afar({}, {}, [&](const Result<Answer>& r) { caught = r.error(); });
  EXPECT_EQ(caught, error);
}

TEST_F(RemoteTest, ADeferredMethodAnswersLater) {
  std::optional<Reply<Answer>> kept;
  provider.ask_afar.bind([&](const CallContext&, const Question& q, Reply<Answer> reply) {
    EXPECT_EQ(q.text, "how far?");
    kept.emplace(std::move(reply));
  });
  std::string answer;
  consumer.ask_afar({}, {"how far?"}, [&](const Result<Answer>& r) { answer = r ? r->text : r.error().text; });
  EXPECT_EQ(answer, "");
  (*kept)(Answer{"very"});
  EXPECT_EQ(answer, "very");
}

TEST_F(RemoteTest, ADroppedReplyIsAnErrorAfarToo) {
  provider.ask_afar.bind([](const CallContext&, const Question&, const Reply<Answer>&) {});
  std::optional<Error> caught;
  consumer.ask_afar({}, {}, [&](const Result<Answer>& r) { caught = r.error(); });
  ASSERT_TRUE(caught);
  EXPECT_EQ(caught->code, ErrorCode::internal);
}

TEST_F(RemoteTest, ATransferThatForgetsABlockingCallIsAnError) {
  consumer.ask.bind_remote([](const MethodBase&, const CallContext&, const void*, const MethodBase::Finish&) {});
  EXPECT_EQ(consumer.ask({}, {}).error().code, ErrorCode::internal);
}

TEST_F(RemoteTest, PassesContextOn) {
  provider.ask.bind(
      [](const CallContext& context, const Question&) -> Result<Answer> { return Answer{context.request_id.str()}; });
  EXPECT_EQ(consumer.ask({.request_id = RequestId("r1")}, {})->text, "r1");
}

TEST(CodecTest, IgnoresUnknownMembersAndRefusesOtherKinds) {
  Oracle oracle;
  const auto decode = [&](std::string_view text, Question& into) {
    const auto document = json::Document::parse(text);
    EXPECT_TRUE(document);
    return oracle.ask.request_codec().decode(document->root(), &into);
  };
  Question question{"kept when absent"};
  EXPECT_TRUE(decode(R"({"later":[1,2],"text":"x"})", question));
  EXPECT_EQ(question.text, "x");
  question.text = "kept when absent";
  EXPECT_TRUE(decode("{}", question));
  EXPECT_EQ(question.text, "kept when absent");
  EXPECT_FALSE(decode(R"({"text":1})", question));
  EXPECT_FALSE(decode("[]", question));
}

}  // namespace
}  // namespace backplane::api::test
