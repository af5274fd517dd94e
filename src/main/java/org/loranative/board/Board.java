package org.loranative.board;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.loranative.web.LocalServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The web server of the board. All addresses in it are relative, so it works below any path. */
public final class Board implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Board.class);
  private static final String COOKIE = "lora_native_board";
  private static final long HEARTBEAT_SECONDS = 15;

  /** Files of the page by their path, and where they lie on the class path. */
  private static final Map<String, String> FILES =
      Map.of(
          "/", "board/index.html",
          "/style.css", "board/style.css",
          "/board.js", "board/board.js",
          "/charts.js", "board/charts.js",
          "/panels.js", "board/panels.js",
          "/layers.js", "board/layers.js",
          "/uplot.js", "META-INF/resources/webjars/uplot/1.6.30/dist/uPlot.iife.min.js",
          "/uplot.css", "META-INF/resources/webjars/uplot/1.6.30/dist/uPlot.min.css",
          "/echarts.js", "META-INF/resources/webjars/echarts/5.3.1/dist/echarts.min.js");

  private final Optional<String> token;
  private final Runs runs;
  private final Api api;
  private final LocalServer server;
  private volatile boolean closed;

  /**
   * Starts to serve.
   *
   * @param folders that hold runs, or will
   * @param port 0 for any that is free; one that is in use gives way to the next
   * @param token that whoever asks must know; required unless only this machine can ask
   * @throws org.loranative.UserException if it cannot
   */
  public Board(List<Path> folders, String host, int port, Optional<String> token) {
    this.token = token;
    server = new LocalServer("board", host, port, token, this::serve);
    runs = new Runs(folders);
    api = new Api(runs);
    server.start();
  }

  /** The page's address. */
  public URI address() {
    return server.address();
  }

  private void serve(HttpExchange exchange) {
    try (exchange) {
      try {
        route(exchange);
      } catch (Api.NotThere e) {
        send(exchange, 404, "text/plain", e.getMessage().getBytes(StandardCharsets.UTF_8));
      } catch (RuntimeException e) {
        log.warn("The board could not answer {}: {}", exchange.getRequestURI(), e.toString());
        log.debug("board", e);
        send(
            exchange,
            500,
            "text/plain",
            "an error; see the terminal".getBytes(StandardCharsets.UTF_8));
      }
    } catch (IOException e) {
      log.debug("a page was closed: {}", e.getMessage());
    }
  }

  private void route(HttpExchange exchange) throws IOException {
    Map<String, String> query = query(exchange.getRequestURI());
    if (!admits(exchange, query)) {
      return;
    }
    String path = exchange.getRequestURI().getPath();
    if (!exchange.getRequestMethod().equals("GET")) {
      send(exchange, 405, "text/plain", "only GET".getBytes(StandardCharsets.UTF_8));
    } else if (path.equals("/api/events")) {
      events(exchange);
    } else {
      answer(exchange, path, query);
    }
  }

  private void answer(HttpExchange exchange, String path, Map<String, String> query)
      throws IOException {
    String json = "application/json";
    switch (path) {
      case "/api/runs" -> send(exchange, 200, json, api.runs());
      case "/api/scalars" -> send(exchange, 200, json, api.scalars(query));
      case "/api/layers" -> send(exchange, 200, json, api.layers(query));
      case "/api/images" -> send(exchange, 200, json, api.images(query));
      case "/api/texts" -> send(exchange, 200, json, api.texts(query));
      case "/api/settings" -> send(exchange, 200, json, api.settings());
      case "/api/image" -> {
        byte[] image = api.image(query);
        send(exchange, 200, imageType(image), image);
      }
      default -> file(exchange, path);
    }
  }

  private static String imageType(byte[] image) {
    if (image.length > 3 && (image[0] & 0xff) == 0xff && (image[1] & 0xff) == 0xd8) {
      return "image/jpeg";
    }
    return image.length > 3 && image[0] == 'G' && image[1] == 'I' ? "image/gif" : "image/png";
  }

  private static void file(HttpExchange exchange, String path) throws IOException {
    String resource = FILES.get(path);
    if (resource == null) {
      throw new Api.NotThere("there is nothing at " + path);
    }
    try (InputStream in = Board.class.getClassLoader().getResourceAsStream(resource)) {
      if (in == null) {
        throw new Api.NotThere(resource + " is missing in this jar");
      }
      String type =
          path.endsWith(".js")
              ? "text/javascript"
              : path.endsWith(".css") ? "text/css" : "text/html; charset=utf-8";
      send(exchange, 200, type, in.readAllBytes());
    }
  }

  private static void send(HttpExchange exchange, int code, String type, byte[] body)
      throws IOException {
    exchange.getResponseHeaders().set("Content-Type", type);
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Content-Type-Options", "nosniff");
    exchange
        .getResponseHeaders()
        .set(
            "Content-Security-Policy",
            "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline';"
                + " form-action 'none'; base-uri 'none'; frame-ancestors 'none'");
    boolean asked = body.length > 0 && !exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(code, asked ? body.length : -1);
    if (asked) {
      exchange.getResponseBody().write(body);
    }
  }

  /** Server-sent events: a line whenever something new was read. */
  private void events(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Accel-Buffering", "no"); // nginx holds nothing back
    exchange.sendResponseHeaders(200, 0);
    Semaphore news = new Semaphore(1);
    Runnable listener = news::release;
    runs.onChange(listener);
    try (OutputStream out = exchange.getResponseBody()) {
      while (!closed) {
        boolean changed = news.tryAcquire(HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        news.drainPermits();
        out.write(
            (changed ? "data: changed\n\n" : ": still here\n\n").getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      runs.removeListener(listener);
    }
  }

  /**
   * With a token: whoever names it, once in the address, then by a cookie. Without: who asks for
   * this machine by a name of its own, since a page elsewhere could have its name lead here.
   */
  private boolean admits(HttpExchange exchange, Map<String, String> query) throws IOException {
    if (token.isEmpty()) {
      if (LocalServer.asksLocally(exchange)) {
        return true;
      }
      String why =
          "The board answers to localhost only; behind a proxy pass that as Host, or set --token.";
      send(exchange, 403, "text/plain", why.getBytes(StandardCharsets.UTF_8));
      return false;
    }
    if (query.containsKey("token") && LocalServer.same(query.get("token"), token.get())) {
      exchange
          .getResponseHeaders()
          .add("Set-Cookie", COOKIE + "=" + token.get() + "; HttpOnly; SameSite=Strict");
      return true;
    }
    for (String line : exchange.getRequestHeaders().getOrDefault("Cookie", List.of())) {
      for (String part : line.split(";\\s*")) {
        if (part.startsWith(COOKIE + "=")
            && LocalServer.same(part.substring(COOKIE.length() + 1), token.get())) {
          return true;
        }
      }
    }
    String why = "Open this page with ?token=SECRET, the --token that the board was started with.";
    send(exchange, 403, "text/plain", why.getBytes(StandardCharsets.UTF_8));
    return false;
  }

  private static Map<String, String> query(URI uri) {
    Map<String, String> values = new HashMap<>();
    String raw = uri.getRawQuery() == null ? "" : uri.getRawQuery();
    for (String pair : raw.split("&")) {
      int equals = pair.indexOf('=');
      if (equals > 0) {
        try {
          values.put(
              URLDecoder.decode(pair.substring(0, equals), StandardCharsets.UTF_8),
              URLDecoder.decode(pair.substring(equals + 1), StandardCharsets.UTF_8));
        } catch (IllegalArgumentException e) {
          throw new Api.NotThere("the address is malformed");
        }
      }
    }
    return values;
  }

  @Override
  public void close() {
    closed = true;
    server.close();
    runs.close();
  }
}
