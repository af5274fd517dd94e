package org.loranative.serve;

import static org.assertj.core.api.Assertions.assertThat;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.loranative.export.AdapterSource;
import org.loranative.model.llm.Sampling;
import org.loranative.testing.TinyAdapter;
import org.loranative.testing.TinyModel;
import org.loranative.text.ChatTemplate.Message;
import org.loranative.train.llm.Answers;
import org.loranative.train.llm.Respondent;
import org.loranative.train.machine.Machine;

/** OpenAI's interface, as its clients use it. */
class ChatServerTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final HttpClient CLIENT = HttpClient.newHttpClient();
  private static final String ASKED = "'messages': [{'role': 'user', 'content': 'what?'}]";

  @TempDir private static Path folder;
  private static Answers answers;
  private static Respondent adapted;
  private static Respondent base;
  private static ChatServer server;

  @BeforeAll
  static void open() throws IOException {
    Path model = TinyModel.write(folder.resolve("base"));
    Path adapter = TinyAdapter.train(model, folder.resolve("a"));
    answers = new Answers(model, List.of(new AdapterSource(adapter, 1)), Machine.of("cpu", "f32"));
    adapted = answers.respondent(200, true);
    base = answers.respondent(200, false);
    server = serve(Optional.empty());
  }

  private static ChatServer serve(Optional<String> token) {
    Map<String, Supplier<Respondent>> models = new LinkedHashMap<>();
    models.put("mine", () -> adapted);
    models.put("base", () -> base);
    return new ChatServer(
        models, new Usual(Optional.of(10), Sampling.greedy(), List.of()), "127.0.0.1", 0, token);
  }

  @AfterAll
  static void close() {
    server.close();
    adapted.close();
    base.close();
    answers.close();
  }

  private static HttpRequest.Builder to(ChatServer server, String path) {
    return HttpRequest.newBuilder(server.address().resolve(path));
  }

  private static HttpResponse<String> send(HttpRequest request) {
    try {
      return CLIENT.send(request, HttpResponse.BodyHandlers.ofString());
    } catch (IOException | InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static HttpRequest post(String path, String body) {
    return to(server, path)
        .POST(HttpRequest.BodyPublishers.ofString(body.replace('\'', '"')))
        .build();
  }

  private static JsonNode chat(String fields) throws IOException {
    HttpResponse<String> response = send(post("v1/chat/completions", "{" + ASKED + fields + "}"));
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return JSON.readTree(response.body());
  }

  private static String content(JsonNode completion) {
    return completion.path("choices").path(0).path("message").path("content").asText();
  }

  private static String direct(Respondent respondent, int tokens) {
    return respondent
        .reply(
            respondent.prompt(List.of(new Message("user", "what?"))),
            new Respondent.Manner(tokens, Sampling.greedy(), List.of()),
            piece -> true)
        .text();
  }

  @Test
  void answersAsTheModelDoes() throws IOException {
    JsonNode first = chat("");
    assertThat(content(first)).isEqualTo(direct(adapted, 10)).isNotEmpty();
    assertThat(first.path("object").asText()).isEqualTo("chat.completion");
    assertThat(first.path("model").asText()).isEqualTo("mine");
    assertThat(first.at("/choices/0/finish_reason").asText()).isEqualTo("length");
    assertThat(first.at("/usage/completion_tokens").asInt()).isEqualTo(10);
    assertThat(content(chat(", 'model': 'base', 'max_tokens': 6")))
        .isEqualTo(direct(base, 6))
        .isNotEqualTo(direct(adapted, 6));
    // What is more than the context is cut to what is left of it.
    JsonNode whole = chat(", 'max_completion_tokens': 100000");
    assertThat(whole.at("/usage/total_tokens").asInt()).isLessThanOrEqualTo(200);
  }

  @Test
  void streamsTheSame() throws IOException {
    HttpResponse<String> response =
        send(
            post(
                "v1/chat/completions",
                "{"
                    + ASKED
                    + ", 'stream': true, 'stream_options': {'include_usage': true}, 'n': 1,"
                    + " 'tools': [], 'user': 'me'}"));
    assertThat(response.headers().firstValue("Content-Type")).contains("text/event-stream");
    StringBuilder text = new StringBuilder();
    List<String> reasons = new ArrayList<>();
    String last = "";
    int usage = 0;
    for (String event : response.body().split("\n\n")) {
      assertThat(event).startsWith("data: ");
      last = event.substring(6);
      if (!last.equals("[DONE]")) {
        JsonNode chunk = JSON.readTree(last);
        text.append(chunk.at("/choices/0/delta/content").asText(""));
        if (chunk.at("/choices/0/finish_reason").isTextual()) {
          reasons.add(chunk.at("/choices/0/finish_reason").asText());
        }
        usage += chunk.at("/usage/completion_tokens").asInt();
      }
    }
    assertThat(last).isEqualTo("[DONE]");
    assertThat(text.toString()).isEqualTo(direct(adapted, 10));
    assertThat(reasons).containsExactly("length");
    assertThat(usage).isEqualTo(10);
  }

  @Test
  void continuesATextAndStops() throws IOException {
    String body = "{'prompt': ['what? '], 'max_tokens': 8%s}";
    JsonNode whole = JSON.readTree(send(post("v1/completions", String.format(body, ""))).body());
    String text = whole.at("/choices/0/text").asText();
    assertThat(text).hasSizeGreaterThan(3);
    String stop = JSON.writeValueAsString(text.substring(2, 3));
    JsonNode cut =
        JSON.readTree(
            completion("{\"prompt\": \"what? \", \"max_tokens\": 8, \"stop\": " + stop + "}"));
    assertThat(cut.at("/choices/0/text").asText())
        .isEqualTo(text.substring(0, text.indexOf(text.charAt(2))));
    assertThat(cut.at("/choices/0/finish_reason").asText()).isEqualTo("stop");
  }

  private static String completion(String body) {
    return send(to(server, "v1/completions")
            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build())
        .body();
  }

  @Test
  void listsItsModels() throws IOException {
    JsonNode list = JSON.readTree(send(to(server, "v1/models").build()).body());
    assertThat(list.path("data").findValuesAsText("id")).containsExactly("mine", "base");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "{                                    | 400 | The body is no JSON",
        "[]                                   | 400 | no JSON object",
        "{}                                   | 400 | messages must be a list",
        "{'messages': [{'content': 'x'}]}     | 400 | messages[0] has no role",
        "{'messages': [{'role': 'user'}]}     | 400 | messages[0].content must be a text",
        "{ASKED, 'top_p': 7}                  | 400 | top_p is 7, but must lie in (0, 1]",
        "{ASKED, 'temperature': 'hot'}        | 400 | temperature must be a number",
        "{ASKED, 'max_tokens': 0}             | 400 | max_tokens must be a whole number",
        "{ASKED, 'stop': ['']}                | 400 | stop must be",
        "{ASKED, 'stream': 1}                 | 400 | stream must be true or false",
        "{'messages': [{'role': 'wizard', 'content': 'x'}]} | 400 | messages[0].role is wizard",
        "{ASKED, 'seed': 1e30}                | 400 | seed must be a whole number",
        "{ASKED, 'n': 2}                      | 400 | n is not 1",
        "{ASKED, 'tools': [{}]}               | 400 | tools is not supported",
        "{ASKED, 'logprobs': true}            | 400 | logprobs is not supported",
        "{ASKED, ASKED}                       | 400 | Duplicate field 'messages'",
        "{ASKED, 'model': 'gpt-4'}            | 404 | There is no model gpt-4; there are mine and",
      })
  void saysWhatIsWrong(String body, int status, String message) throws IOException {
    HttpResponse<String> response = send(post("v1/chat/completions", body.replace("ASKED", ASKED)));
    assertThat(response.statusCode()).isEqualTo(status);
    assertThat(JSON.readTree(response.body()).at("/error/message").asText()).contains(message);
  }

  @Test
  void refusesWhatDoesNotFit() throws IOException {
    String words = "word ".repeat(400);
    JsonNode error =
        JSON.readTree(
            send(post(
                    "v1/chat/completions",
                    "{'messages': [{'role': 'user', 'content': '" + words + "'}]}"))
                .body());
    assertThat(error.at("/error/code").asText()).isEqualTo("context_length_exceeded");
    assertThat(send(to(server, "v1/none").build()).statusCode()).isEqualTo(404);
  }

  @Test
  void letsInWhoeverKnowsTheToken() {
    try (ChatServer secret = serve(Optional.of("12345678"))) {
      assertThat(send(to(secret, "v1/models").build()).statusCode()).isEqualTo(401);
      assertThat(
              send(to(secret, "v1/models").header("Authorization", "Bearer 12345678").build())
                  .statusCode())
          .isEqualTo(200);
      assertThat(
              send(to(secret, "v1/models").header("Authorization", "Bearer 12345679").build())
                  .statusCode())
          .isEqualTo(401);
    }
  }

  @Test
  void answersPagesOfThisMachineAlone() {
    HttpRequest.Builder local = to(server, "v1/models").header("Origin", "http://localhost:3000");
    HttpResponse<String> answered = send(local.build());
    assertThat(answered.statusCode()).isEqualTo(200);
    assertThat(answered.headers().firstValue("Access-Control-Allow-Origin"))
        .contains("http://localhost:3000");
    HttpRequest.Builder other = to(server, "v1/models").header("Origin", "http://example.org");
    assertThat(send(other.build()).statusCode()).isEqualTo(403);
  }

  /** Requests take turns, and one whose client has gone does not hold up the others. */
  @Test
  void answersSeveral() throws Exception {
    String expected = direct(adapted, 10);
    HttpResponse<InputStream> left =
        CLIENT.send(
            post("v1/chat/completions", "{" + ASKED + ", 'stream': true, 'max_tokens': 90}"),
            HttpResponse.BodyHandlers.ofInputStream());
    left.body().close();
    List<CompletableFuture<HttpResponse<String>>> all = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      all.add(
          CLIENT.sendAsync(
              post("v1/chat/completions", "{" + ASKED + "}"),
              HttpResponse.BodyHandlers.ofString()));
    }
    for (CompletableFuture<HttpResponse<String>> one : all) {
      assertThat(content(JSON.readTree(one.get().body()))).isEqualTo(expected);
    }
  }
}
