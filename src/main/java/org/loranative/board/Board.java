package org.loranative.board;

import com.sun.net.httpserver.HttpExchange;
import java.io.IOException;
import java.io.OutputStream;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.loranative.board.actions.Actions;
import org.loranative.board.actions.Webhook;
import org.loranative.board.curves.Curves;
import org.loranative.board.data.RunRecords;
import org.loranative.board.http.Admission;
import org.loranative.board.http.PageFiles;
import org.loranative.board.http.Query;
import org.loranative.board.http.Refused;
import org.loranative.board.http.Reply;
import org.loranative.board.machine.MachineNow;
import org.loranative.board.runs.RunEntry;
import org.loranative.board.runs.Runs;
import org.loranative.board.samples.Samples;
import org.loranative.web.LocalServer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The web server of the board. All addresses in it are relative, so it works below any path. */
public final class Board implements AutoCloseable {
  private static final Logger log = LoggerFactory.getLogger(Board.class);
  private static final long HEARTBEAT_SECONDS = 15;

  private final Admission admission;
  private final Runs runs;
  private final Curves curves;
  private final Actions actions;
  private final LocalServer server;
  private final List<Semaphore> pages = new CopyOnWriteArrayList<>();
  private volatile boolean closed;

  /**
   * What a board shows, and to whom.
   *
   * @param folders that hold runs, or will
   * @param port 0 for any that is free; one that is in use gives way to the next
   * @param token that whoever asks must know; required unless only this machine can ask
   * @param readOnly nothing is done from the page
   * @param webhook is told what happens to runs
   */
  public record Options(
      List<Path> folders,
      String host,
      int port,
      Optional<String> token,
      boolean readOnly,
      Optional<URI> webhook) {}

  /** Everything may be done that this machine, or who knows the token, asks for. */
  public Board(List<Path> folders, String host, int port, Optional<String> token) {
    this(new Options(folders, host, port, token, false, Optional.empty()));
  }

  /**
   * Starts to serve.
   *
   * @throws org.loranative.UserException if it cannot
   */
  public Board(Options options) {
    admission = new Admission(options.token());
    server = new LocalServer("board", options.host(), options.port(), options.token(), this::serve);
    runs = new Runs(options.folders());
    runs.onChange(this::tell);
    curves = new Curves(runs);
    actions = new Actions(runs, options.readOnly(), this::tell);
    options.webhook().ifPresent(address -> new Webhook(address, runs));
    server.start();
  }

  /** The page's address. */
  public URI address() {
    return server.address();
  }

  private void tell() {
    pages.forEach(Semaphore::release);
  }

  private void serve(HttpExchange exchange) {
    try (exchange) {
      try {
        route(exchange);
      } catch (Refused e) {
        Reply.text(exchange, e.code(), e.getMessage());
      } catch (RuntimeException e) {
        log.warn("The board could not answer {}: {}", exchange.getRequestURI(), e.toString());
        log.debug("board", e);
        Reply.text(exchange, 500, "an error; see the terminal");
      }
    } catch (IOException e) {
      log.debug("a page was closed: {}", e.getMessage());
    }
  }

  private void route(HttpExchange exchange) throws IOException {
    Query query = new Query(exchange.getRequestURI().getRawQuery());
    if (!admission.admits(exchange, query)) {
      return;
    }
    String path = exchange.getRequestURI().getPath();
    switch (exchange.getRequestMethod()) {
      case "GET", "HEAD" -> get(exchange, path, query);
      case "POST" -> {
        admission.requireOwnPage(exchange);
        if (path.equals("/api/curves")) {
          Reply.json(exchange, curves.answer(Query.body(exchange)));
        } else if (path.startsWith("/api/do/")) {
          String what = path.substring("/api/do/".length());
          Reply.json(exchange, actions.act(what, Query.body(exchange)));
        } else {
          throw Refused.notThere("there is nothing at " + path);
        }
      }
      default -> throw new Refused(405, "only GET and POST");
    }
  }

  private void get(HttpExchange exchange, String path, Query query) throws IOException {
    switch (path) {
      case "/api/events" -> events(exchange);
      case "/api/runs" -> {
        var answer = (com.fasterxml.jackson.databind.node.ObjectNode) runs.since(since(query));
        answer.put("read_only", actions.isReadOnly());
        answer.put("root", runs.roots().get(0).toString());
        Reply.json(exchange, answer);
      }
      case "/api/layers" -> Reply.json(exchange, curves.layers(run(query)));
      case "/api/images" -> Reply.json(exchange, Samples.images(run(query)));
      case "/api/texts" -> Reply.json(exchange, Samples.texts(run(query)));
      case "/api/records" -> Reply.json(exchange, RunRecords.hardest(run(query)));
      case "/api/step" ->
          Reply.json(exchange, RunRecords.ofStep(run(query), query.number("step", 0)));
      case "/api/record" ->
          Reply.json(exchange, RunRecords.content(run(query), query.text("record")));
      case "/api/machine" -> Reply.json(exchange, MachineNow.of(run(query)));
      case "/api/form" -> Reply.json(exchange, actions.form());
      case "/api/jobs" -> Reply.json(exchange, actions.jobs());
      case "/api/image" -> image(exchange, Samples.image(run(query), query));
      case "/api/picture" -> image(exchange, RunRecords.picture(run(query), query.text("record")));
      default -> PageFiles.send(exchange, path);
    }
  }

  private static long since(Query query) {
    return query.number("since", 0);
  }

  private RunEntry run(Query query) {
    return runs.find(query.text("run")).orElseThrow(() -> Refused.notThere("there is no such run"));
  }

  private static void image(HttpExchange exchange, byte[] image) throws IOException {
    Reply.send(exchange, 200, Samples.type(image), image);
  }

  /** Server-sent events: a line whenever something new was read. */
  private void events(HttpExchange exchange) throws IOException {
    exchange.getResponseHeaders().set("Content-Type", "text/event-stream");
    exchange.getResponseHeaders().set("Cache-Control", "no-store");
    exchange.getResponseHeaders().set("X-Accel-Buffering", "no"); // nginx holds nothing back
    exchange.sendResponseHeaders(200, 0);
    Semaphore news = new Semaphore(1);
    pages.add(news);
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
      pages.remove(news);
    }
  }

  @Override
  public void close() {
    closed = true;
    server.close();
    actions.close();
    runs.close();
  }
}
