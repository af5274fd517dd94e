package org.loranative.serve;

import com.fasterxml.jackson.core.JacksonException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.sun.net.httpserver.Headers;
import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.loranative.UserException;
import org.loranative.io.JsonFile;
import org.loranative.train.llm.Respondent;
import org.loranative.web.LocalServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * OpenAI's interface: {@code GET /v1/models}, {@code POST /v1/chat/completions} and {@code
 * /v1/completions}, whole or as a stream of server-sent events. Requests are answered one after
 * another.
 */
public final class ChatServer implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(ChatServer.class);
  private static final ObjectMapper JSON =
      JsonMapper.builder().enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION).build();
  private static final int MOST_BYTES = 8 << 20;
  private static final long SIGN_OF_LIFE_NANOS = 1_000_000_000L;

  private final Map<String, Supplier<Respondent>> models;
  private final Usual usual;
  private final Optional<String> token;
  private final Instant started = Instant.now();
  private final Set<String> ignored = ConcurrentHashMap.newKeySet();

  /** Held by the request that is being answered. */
  private final ReentrantLock turn = new ReentrantLock(true);

  private final LocalServer server;

  /**
   * Starts to serve.
   *
   * @param models who answers, by name, in order: the first answers requests that name none
   * @param usual how is answered where a request does not say
   * @param port 0 for any that is free; one that is in use gives way to the next
   * @param token that whoever asks must know; required unless only this machine can ask
   * @throws UserException if it cannot
   */
  public ChatServer(
      Map<String, Supplier<Respondent>> models,
      Usual usual,
      String host,
      int port,
      Optional<String> token) {
    this.models = models;
    this.usual = usual;
    this.token = token;
    server = new LocalServer("server", host, port, token, this::serve);
    server.start();
  }

  /** Where clients find it; they add {@code v1}. */
  public URI address() {
    return server.address();
  }

  private void serve(HttpExchange exchange) {
    try (exchange) {
      try {
        admit(exchange);
        route(exchange);
      } catch (BadRequest e) {
        error(exchange, e);
      } catch (UserException e) {
        error(exchange, BadRequest.body(e.getMessage()));
      } catch (UncheckedIOException e) {
        log.debug("a client is gone: {}", e.getMessage());
      } catch (RuntimeException e) {
        log.warn("{} could not be answered: {}", exchange.getRequestURI(), e.toString());
        log.debug("serve", e);
        error(exchange, BadRequest.status(500, "internal_error", "An error; see the terminal."));
      }
    } catch (IOException e) {
      log.debug("a client is gone: {}", e.getMessage());
    }
  }

  /** Lets in whoever knows the token; without one, this machine and pages that it serves. */
  private void admit(HttpExchange exchange) {
    Headers headers = exchange.getRequestHeaders();
    Optional<String> origin = Optional.ofNullable(headers.getFirst("Origin"));
    if (token.isEmpty()) {
      boolean local =
          origin.map(o -> LocalServer.isLocal(o.replaceFirst("^https?://", ""))).orElse(true);
      if (!LocalServer.asksLocally(exchange) || !local) {
        throw BadRequest.status(
            403, "forbidden", "Only pages and programs of this machine are answered; set --token.");
      }
    }
    Headers answer = exchange.getResponseHeaders();
    origin.ifPresent(o -> answer.set("Access-Control-Allow-Origin", o));
    answer.set("Vary", "Origin");
    answer.set("Access-Control-Allow-Headers", "Authorization, Content-Type");
    answer.set("Access-Control-Allow-Methods", "GET, POST, OPTIONS");
    String given = String.valueOf(headers.getFirst("Authorization"));
    boolean asks = exchange.getRequestMethod().equals("OPTIONS"); // browsers ask without
    if (token.isPresent() && !asks && !LocalServer.same(given, "Bearer " + token.get())) {
      throw BadRequest.status(
          401, "invalid_api_key", "The API key is not the --token that the server was given.");
    }
  }

  private void route(HttpExchange exchange) throws IOException {
    String method = exchange.getRequestMethod();
    String path = exchange.getRequestURI().getPath().replaceFirst("(?<=.)/$", "");
    switch (method + " " + path) {
      case "GET /health" -> send(exchange, 200, JSON.createObjectNode().put("status", "ok"));
      case "GET /v1/models" -> send(exchange, 200, list());
      case "POST /v1/chat/completions" -> answer(exchange, true);
      case "POST /v1/completions" -> answer(exchange, false);
      default -> {
        if (method.equals("OPTIONS")) {
          exchange.sendResponseHeaders(204, -1);
          return;
        }
        throw BadRequest.status(
            404,
            "not_found",
            String.format(
                "There is no %s %s; there are GET /v1/models, POST /v1/chat/completions and POST"
                    + " /v1/completions.",
                method, path));
      }
    }
  }

  private ObjectNode list() {
    ObjectNode json = JSON.createObjectNode().put("object", "list");
    for (String name : models.keySet()) {
      json.withArray("data")
          .addObject()
          .put("id", name)
          .put("object", "model")
          .put("created", started.getEpochSecond())
          .put("owned_by", "lora-native");
    }
    return json;
  }

  private void answer(HttpExchange exchange, boolean chat) throws IOException {
    Question question = Question.of(body(exchange), chat, usual);
    question.ignored().stream()
        .filter(ignored::add)
        .forEach(f -> log.info("The field {} of requests means nothing here; it is ignored.", f));
    String name = question.model().orElseGet(() -> models.keySet().iterator().next());
    if (!models.containsKey(name)) {
      throw BadRequest.unknownModel(
          "There is no model "
              + name
              + "; there are "
              + String.join(" and ", models.keySet())
              + ".");
    }
    Answer answer =
        new Answer(
            (chat ? "chatcmpl-" : "cmpl-") + UUID.randomUUID(),
            Instant.now().getEpochSecond(),
            name,
            chat);
    turn.lock();
    try {
      answer(exchange, question, answer, models.get(name).get());
    } finally {
      turn.unlock();
    }
  }

  private static void answer(
      HttpExchange exchange, Question question, Answer answer, Respondent respondent)
      throws IOException {
    int[] prompt =
        answer.chat() ? respondent.prompt(question.messages()) : respondent.prompt(question.text());
    respondent
        .tooLong(prompt, 1)
        .ifPresent(
            why -> {
              throw BadRequest.tooLong(why);
            });
    int room = respondent.context() - prompt.length;
    Respondent.Manner manner =
        new Respondent.Manner(
            Math.min(question.maxTokens().orElse(room), room),
            question.sampling(),
            question.stops());
    if (!question.stream()) {
      whole(exchange, answer, respondent, prompt, manner);
      return;
    }
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Accel-Buffering", "no"); // nginx holds nothing back
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    answer.opening().ifPresent(o -> event(out, o.toString()));
    Respondent.Reply reply =
        respondent.reply(
            prompt,
            manner,
            text -> {
              event(out, answer.piece(text).toString()); // a client that is gone ends the answer
              return true;
            });
    event(out, answer.closing(reply).toString());
    if (question.streamUsage()) {
      event(out, answer.counts(reply).toString());
    }
    event(out, "[DONE]");
  }

  /**
   * Sends an answer at once. Spaces go before it, which JSON does not mind, while it is made: only
   * so does it show that a client has gone, which ends the answer.
   */
  private static void whole(
      HttpExchange exchange,
      Answer answer,
      Respondent respondent,
      int[] prompt,
      Respondent.Manner manner)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(200, 0);
    OutputStream out = exchange.getResponseBody();
    long[] said = {System.nanoTime()};
    Respondent.Reply reply =
        respondent.reply(
            prompt,
            manner,
            text -> {
              if (System.nanoTime() - said[0] > SIGN_OF_LIFE_NANOS) {
                said[0] = System.nanoTime();
                write(out, " ");
              }
              return true;
            });
    write(out, answer.whole(reply).toString());
  }

  private static void event(OutputStream out, String data) {
    write(out, "data: " + data + "\n\n");
  }

  private static void write(OutputStream out, String text) {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static JsonNode body(HttpExchange exchange) throws IOException {
    byte[] bytes = exchange.getRequestBody().readNBytes(MOST_BYTES + 1);
    if (bytes.length > MOST_BYTES) {
      throw BadRequest.status(413, "too_large", "The body has more than 8 MiB.");
    }
    try {
      return JSON.readTree(bytes);
    } catch (JacksonException e) {
      throw BadRequest.body("The body is no JSON: " + JsonFile.problem(e) + ".");
    }
  }

  private static void error(HttpExchange exchange, BadRequest e) throws IOException {
    ObjectNode json = JSON.createObjectNode();
    ObjectNode error = json.putObject("error");
    error.put("message", e.getMessage());
    error.put("type", e.status >= 500 ? "server_error" : "invalid_request_error");
    error.put("param", e.field.orElse(null));
    error.put("code", e.code);
    if (exchange.getResponseCode() < 0) { // else a stream has begun
      send(exchange, e.status, json);
    }
  }

  private static void send(HttpExchange exchange, int status, ObjectNode json) throws IOException {
    byte[] bytes = JSON.writeValueAsBytes(json);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
  }

  @Override
  public void close() {
    server.close();
  }
}
