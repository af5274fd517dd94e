package org.loranative.board;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.net.Socket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.Predicate;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.loranative.UserException;
import org.loranative.track.TensorBoard;

/** The board's answers over HTTP. */
class BoardTest {
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  @TempDir private Path folder;
  @TempDir private Path elsewhere;

  private static HttpResponse<String> get(Board board, String path, String... headers)
      throws IOException, InterruptedException {
    HttpRequest.Builder request = HttpRequest.newBuilder(board.address().resolve(path));
    for (int i = 0; i < headers.length; i += 2) {
      request.header(headers[i], headers[i + 1]);
    }
    return CLIENT.send(request.build(), HttpResponse.BodyHandlers.ofString());
  }

  private static JsonNode json(Board board, String path) throws Exception {
    HttpResponse<String> response = get(board, path);
    assertThat(response.statusCode()).as(response.body()).isEqualTo(200);
    return new ObjectMapper().readTree(response.body());
  }

  private static JsonNode until(Board board, String path, Predicate<JsonNode> enough)
      throws Exception {
    for (int i = 0; i < 200; i++) {
      JsonNode answer = json(board, path);
      if (enough.test(answer)) {
        return answer;
      }
      Thread.sleep(50);
    }
    throw new AssertionError("never came: " + json(board, path));
  }

  private Board open(Optional<String> token) {
    return new Board(List.of(folder), "127.0.0.1", 0, token);
  }

  private void write(String run, double rate) throws IOException {
    try (TensorBoard board = new TensorBoard(folder.resolve(run).resolve("logs"), 1)) {
      board.hyperparameters(Map.of("learning_rate", rate, "task_type", "llm"), List.of());
      for (int i = 1; i <= 100; i++) {
        double loss = rate > 0.1 ? 2 + 0.05 * i : 2 + Math.exp(-i / 20.0);
        board.scalars(i, Map.of("Loss/train", loss + 0.01 * Math.sin(i * i)));
      }
      board.text(1, "note", "hello");
    }
  }

  @Test
  void servesRunsCurvesTextsAndSettings() throws Exception {
    write("good", 1e-3);
    write("group/bad", 0.5);
    try (Board board = open(Optional.empty())) {
      JsonNode runs =
          until(board, "api/runs", r -> r.size() == 2 && r.get(1).path("findings").size() > 0);
      assertThat(runs.get(0).path("name").asText()).isEqualTo("good");
      assertThat(runs.get(0).path("severity").asText()).isEqualTo("good");
      assertThat(runs.get(1).path("name").asText()).isEqualTo("group/bad");
      assertThat(runs.get(1).path("verdict").asText()).isIn("divergence", "climbing loss");
      JsonNode curve = json(board, "api/scalars?run=good&tag=Loss/train&buckets=10&smooth=0.5");
      assertThat(curve.path("count").asInt()).isEqualTo(100);
      assertThat(curve.path("steps")).hasSize(10);
      assertThat(json(board, "api/scalars?run=good&tag=Loss/train&from=11&to=20").path("low"))
          .hasSize(10);
      assertThat(json(board, "api/texts?run=good").path("note").get(0).path("text").asText())
          .isEqualTo("hello");
      JsonNode settings = json(board, "api/settings");
      assertThat(settings.path("settings")).as("what differs").hasSize(1);
      assertThat(settings.path("runs").get(1).path("settings").path("learning_rate").asText())
          .isEqualTo("0.5");
      assertThat(get(board, "api/scalars?run=none&tag=x").statusCode()).isEqualTo(404);
      assertThat(get(board, "../../etc/passwd").statusCode()).isEqualTo(404);
      for (String file : List.of("", "board.js", "charts.js", "panels.js", "style.css")) {
        assertThat(get(board, file).statusCode()).as(file).isEqualTo(200);
        assertThat(get(board, file).body()).as("nothing from elsewhere").doesNotContain("https://");
      }
      for (String file : List.of("uplot.js", "uplot.css", "echarts.js")) {
        assertThat(get(board, file).statusCode()).as(file).isEqualTo(200);
      }
    }
  }

  @Test
  void tellsOfWhatGrows() throws Exception {
    write("one", 1e-3);
    try (Board board = open(Optional.empty())) {
      until(board, "api/runs", r -> r.size() == 1 && r.get(0).path("complete").asBoolean());
      URI at = board.address();
      try (Socket socket = new Socket(at.getHost(), at.getPort())) {
        socket
            .getOutputStream()
            .write(
                ("GET /api/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
                    .getBytes(StandardCharsets.US_ASCII));
        BufferedReader lines =
            new BufferedReader(
                new InputStreamReader(socket.getInputStream(), StandardCharsets.UTF_8));
        next(lines); // at once, so that a page that comes back is up to date
        write("two", 1e-3);
        socket.setSoTimeout(10_000);
        next(lines);
      }
      until(board, "api/runs", r -> r.size() == 2);
    }
  }

  private static void next(BufferedReader lines) throws IOException {
    String line = lines.readLine();
    while (!line.equals("data: changed")) {
      line = lines.readLine();
    }
  }

  @Test
  void letsInWhoKnowsTheToken() throws Exception {
    try (Board board = open(Optional.of("sesame-open"))) {
      assertThat(get(board, "").statusCode()).isEqualTo(403);
      assertThat(get(board, "?token=wrong").statusCode()).isEqualTo(403);
      HttpResponse<String> first = get(board, "?token=sesame-open");
      assertThat(first.statusCode()).isEqualTo(200);
      String cookie = first.headers().firstValue("Set-Cookie").orElseThrow();
      assertThat(cookie).contains("HttpOnly").contains("SameSite=Strict");
      assertThat(get(board, "api/runs", "Cookie", cookie.split(";")[0]).statusCode())
          .isEqualTo(200);
      assertThat(get(board, "api/runs", "Cookie", "lora_native_board=x").statusCode())
          .isEqualTo(403);
    }
  }

  @Test
  void takesTheNextFreePortAndWaitsForItsFolder() throws Exception {
    Path later = folder.resolve("later");
    try (Board first = open(Optional.empty());
        Board second =
            new Board(List.of(later), "127.0.0.1", first.address().getPort(), Optional.empty())) {
      assertThat(second.address().getPort())
          .isBetween(first.address().getPort() + 1, first.address().getPort() + 19);
      assertThat(json(second, "api/runs").findValuesAsText("name")).isEmpty();
      write("later/run", 1e-3);
      until(second, "api/runs", runs -> runs.findValuesAsText("name").contains("run"));
    }
  }

  @Test
  void refusesOtherMachinesAndOtherNames() throws Exception {
    assertThatThrownBy(() -> new Board(List.of(folder), "0.0.0.0", 0, Optional.empty()))
        .isInstanceOf(UserException.class)
        .hasMessageContaining("--token");
    try (Board board = open(Optional.empty())) {
      int port = board.address().getPort();
      try (Socket socket = new Socket("127.0.0.1", port)) {
        socket.getOutputStream().write("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n".getBytes());
        byte[] answer = socket.getInputStream().readNBytes(12);
        assertThat(new String(answer)).isEqualTo("HTTP/1.1 403");
      }
    }
  }

  @Test
  void anEmptyFolderIsNoError() throws Exception {
    try (Board board = open(Optional.empty())) {
      assertThat(json(board, "api/runs")).isEmpty();
      assertThat(json(board, "api/settings").path("runs")).isEmpty();
      Files.write(folder.resolve("events.out.tfevents.1"), new byte[] {1, 2, 3});
      until(board, "api/runs", r -> r.size() == 1);
    }
  }

  @Test
  void letsNoFormFrameOrOtherBaseIn() throws Exception {
    try (Board board = open(Optional.empty())) {
      assertThat(get(board, "").headers().firstValue("Content-Security-Policy").orElseThrow())
          .contains("form-action 'none'", "base-uri 'none'", "frame-ancestors 'none'");
    }
    assertThat(Files.readString(Path.of("src/main/resources/board/panels.js")))
        .as("a run's name in a tooltip is text")
        .contains("tooltip: { renderMode: \"richText\"");
  }

  /** Who sends half a request holds a connection, and not for long; others are not kept out. */
  @Test
  void halfRequestsAreFewAndShort() throws Exception {
    List<Socket> sockets = new ArrayList<>();
    try (Board board = open(Optional.of("sesame-open"))) {
      int before = Thread.activeCount();
      for (int i = 0; i < 300; i++) {
        Socket socket = new Socket("127.0.0.1", board.address().getPort());
        socket.getOutputStream().write("GET / HT".getBytes(StandardCharsets.US_ASCII));
        sockets.add(socket);
      }
      Thread.sleep(500);
      assertThat(Thread.activeCount() - before).isLessThan(150);
      int code = 0;
      for (int i = 0; i < 60 && code == 0; i++) { // at most ten seconds, and the machine's load
        try {
          code = get(board, "?token=sesame-open").statusCode();
        } catch (IOException e) {
          Thread.sleep(500);
        }
      }
      assertThat(code).isEqualTo(200);
    } finally {
      for (Socket socket : sockets) {
        socket.close();
      }
    }
  }

  /** Folders with an event file's name, links that lead back, runs behind links. */
  @Test
  void oddFoldersHideNothing() throws Exception {
    write("real", 1e-3);
    Files.createDirectories(folder.resolve("odd/events.out.tfevents.1.dir"));
    Files.createSymbolicLink(folder.resolve("odd/back"), folder);
    Files.createSymbolicLink(folder.resolve("odd/nowhere"), folder.resolve("gone"));
    try (TensorBoard board = new TensorBoard(elsewhere.resolve("run/logs"), 1)) {
      board.scalars(1, Map.of("Loss/train", 1.0));
    }
    Files.createSymbolicLink(folder.resolve("linked"), elsewhere.resolve("run"));
    try (Board board = open(Optional.empty())) {
      JsonNode runs = until(board, "api/runs", r -> r.size() == 2);
      assertThat(runs.findValuesAsText("name")).containsExactly("linked", "real");
    }
  }

  /** A folder and a file that cannot be read, also by root, hide no other run. */
  @Test
  void unreadableRunsHideNothing() throws Exception {
    write("real", 1e-3);
    write("locked", 1e-3);
    Path locked = folder.resolve("locked/logs");
    Files.createDirectories(folder.resolve("broken"));
    Files.createSymbolicLink(
        folder.resolve("broken/events.out.tfevents.1.x"), Path.of("/proc/self/mem"));
    Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("---------"));
    try (Board board = open(Optional.empty())) {
      String curve = "api/scalars?run=real&tag=Loss/train";
      until(board, "api/runs", r -> r.findValuesAsText("name").contains("real"));
      assertThat(until(board, curve, c -> c.path("count").asInt() == 100)).isNotNull();
      write("later", 1e-3);
      until(board, "api/runs", r -> r.findValuesAsText("name").contains("later"));
    } finally {
      Files.setPosixFilePermissions(locked, PosixFilePermissions.fromString("rwx------"));
    }
  }

  /** Whatever runs out of memory, the thread that reads goes on. */
  @Test
  void readsOnWhereMemoryIsFull() throws Exception {
    write("first", 1e-3);
    CountDownLatch told = new CountDownLatch(3);
    try (Runs runs = new Runs(List.of(folder))) {
      runs.onChange(
          () -> {
            told.countDown();
            if (told.getCount() > 0) {
              throw new OutOfMemoryError("Java heap space");
            }
          });
      for (int i = 0; i < 100 && !told.await(100, TimeUnit.MILLISECONDS); i++) {
        write("run" + i, 1e-3);
      }
      assertThat(told.getCount()).isZero();
      Runs.Entry first = runs.find("first").orElseThrow();
      assertThat(runs.attempt(first, () -> tooMuch())).isFalse();
      assertThat(runs.attempt(first, () -> true)).as("it is read no further").isFalse();
      assertThat(runs.attempt(runs.find("run0").orElseThrow(), () -> true)).isTrue();
    }
  }

  private static boolean tooMuch() {
    throw new OutOfMemoryError("Java heap space");
  }
}
