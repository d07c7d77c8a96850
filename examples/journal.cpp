// Reads journals of liqcore without liqcore: MCAP files, frame by frame, with their checksums
// (docs/reference/journal.md has the layout). The trades of recordings that were played go into an engine.
//
//   liqcore_journal FILE ...            prints what is in them, and the nearest zones
//   liqcore_journal --trades FILE ...   prints the trades: time in ns, price, quantity, 1 if the aggressor sold
//
// Files of one market, in the order of their names. What was damaged or never written to its end is left out and said.
// The instrument is fixed: tick 0.1, lot 0.00001, which takes most BTC recordings.

#include <zstd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstring>
#include <exception>
#include <fstream>
#include <functional>
#include <liqcore/engine.hpp>
#include <liqcore/zones.hpp>
#include <map>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace {

constexpr std::string_view kMagic{"\x89MCAP0\r\n", 8};
constexpr std::uint64_t kLargestChunk = 64 << 20;  // bytes, packed or not: what claims more is damaged
constexpr std::size_t kHead = 9;                   // of a record: its kind, and how long it is
enum Kind : unsigned char {
  kHeader = 0x01,
  kChannel = 0x04,
  kMessage = 0x05,
  kChunk = 0x06,
  kMetadata = 0x0C,
  kDataEnd = 0x0F
};

/// CRC-32 as zlib reckons it.
std::uint32_t crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<std::uint32_t, 256> made{};
    for (std::uint32_t i = 0; i < 256; ++i) {
      std::uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) != 0 ? 0xEDB88320U : 0U);
      made[i] = value;
    }
    return made;
  }();
  std::uint32_t crc = ~0U;
  for (const char byte : bytes) crc = (crc >> 8) ^ table[(crc ^ static_cast<unsigned char>(byte)) & 0xFF];
  return ~crc;
}

/// What a chunk that cannot be taken is refused with.
struct Damaged : std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Takes numbers (little-endian) and texts from the front of bytes, and never more than there are.
class Bytes {
 public:
  explicit Bytes(std::string_view left) : left_(left) {}

  [[nodiscard]] bool empty() const { return left_.empty(); }

  std::string_view take(std::uint64_t size) {
    if (size > left_.size()) throw Damaged("a part that goes over its end");
    const std::string_view taken = left_.substr(0, static_cast<std::size_t>(size));
    left_.remove_prefix(taken.size());
    return taken;
  }

  template <class T>
  T number() {
    T value = 0;
    const std::string_view taken = take(sizeof(T));
    for (std::size_t i = sizeof(T); i-- > 0;) value = static_cast<T>(value << 8 | static_cast<unsigned char>(taken[i]));
    return value;
  }

  std::string_view text() { return take(number<std::uint32_t>()); }
  std::string_view rest() { return take(left_.size()); }

 private:
  std::string_view left_;
};

/// What came in at once.
struct Frame {
  std::uint32_t number;   ///< counted through all segments, its low 32 bits
  std::int64_t received;  ///< ns since the UNIX epoch
  std::string_view venue;
  std::string_view source;  ///< "market", "rest:trades:BTCUSDT", "driver", "replay:BTCUSDT"
  std::string_view body;
};

/// The frames of a chunk's record, if all of it is in order: nothing is handed on of one that is not.
class Chunk {
 public:
  explicit Chunk(std::string_view record) {
    Bytes bytes(record);
    bytes.take(16);  // the least and the greatest time of receipt
    const auto size = bytes.number<std::uint64_t>();
    const auto crc = bytes.number<std::uint32_t>();
    if (bytes.text() != "zstd") throw Damaged("a chunk that is not packed with zstd");
    const std::string_view packed = bytes.take(bytes.number<std::uint64_t>());
    if (!bytes.empty()) throw Damaged("a chunk whose parts do not fit");
    if (size > kLargestChunk || ZSTD_getFrameContentSize(packed.data(), packed.size()) != size)
      throw Damaged("a chunk of another size than it says");
    data_.resize(static_cast<std::size_t>(size));
    if (ZSTD_decompress(data_.data(), data_.size(), packed.data(), packed.size()) != size)
      throw Damaged("a chunk that cannot be unpacked");
    if (crc32(data_) != crc) throw Damaged("a chunk whose checksum does not fit");
    read();
  }

  [[nodiscard]] const std::vector<Frame>& frames() const { return frames_; }

 private:
  void read() {
    std::map<std::uint16_t, std::pair<std::string_view, std::string_view>> channels;
    for (Bytes bytes(data_); !bytes.empty();) {
      const auto kind = bytes.number<unsigned char>();
      Bytes record(bytes.take(bytes.number<std::uint64_t>()));
      if (kind == kChannel) {
        auto& [venue, source] = channels[record.number<std::uint16_t>()];
        record.number<std::uint16_t>();  // no schema
        record.text();                   // topic
        record.text();                   // encoding
        for (Bytes pairs(record.text()); !pairs.empty();) {
          const std::string_view name = pairs.text();
          (name == "venue" ? venue : source) = pairs.text();
        }
      } else if (kind == kMessage) {
        const auto channel = channels.find(record.number<std::uint16_t>());
        if (channel == channels.end()) throw Damaged("a frame of no channel");
        Frame frame{record.number<std::uint32_t>(),
                    record.number<std::int64_t>(),
                    channel->second.first,
                    channel->second.second,
                    {}};
        record.number<std::uint64_t>();  // the same time once more
        frame.body = record.rest();
        frames_.push_back(frame);
      }
    }
    if (frames_.empty()) throw Damaged("a chunk without a frame");
    for (std::size_t i = 1; i < frames_.size(); ++i)
      if (frames_[i].number != static_cast<std::uint32_t>(frames_[i - 1].number + 1))
        throw Damaged("a frame is missing");
  }

  std::string data_;
  std::vector<Frame> frames_;  // of data_
};

/// A market's files: frames in order, in the memory of one chunk.
class Journal {
 public:
  /// Hands on the frames of a file; what is damaged is passed over, up to the next chunk that is not, and said.
  void read(const std::string& name, const std::function<void(const Frame&)>& take) {
    std::ifstream file(name, std::ios::binary);
    if (!file) throw std::runtime_error(name + ": cannot be opened");
    std::string bytes(kMagic.size(), '\0');
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    bytes.resize(static_cast<std::size_t>(file.gcount()));
    if (kMagic.substr(0, bytes.size()) != bytes) throw std::runtime_error(name + ": is no MCAP file");
    std::string record;
    for (std::uint64_t at = kMagic.size();;) {
      const std::optional<unsigned char> kind = record_at(file, at, record);
      if (!kind && record.empty()) return;                 // it is being written, or its writer was killed
      if (kind == kDataEnd && record.size() == 4) return;  // what follows is an index
      try {
        if (!kind) throw Damaged("a record that was never written to its end, or is longer than it may be");
        if (kind == kChunk)
          hand_on(Chunk(record), name, at, take);
        else if (kind != kHeader && kind != kMetadata)
          throw Damaged("no chunk where one was expected");
        at += kHead + record.size();
      } catch (const Damaged& error) {
        say(name, at, error.what());
        const auto beyond = next_chunk(file, at + 1);
        if (!beyond) return;
        at = *beyond;
      }
    }
  }

  [[nodiscard]] std::size_t lost() const { return lost_; }

 private:
  void hand_on(const Chunk& chunk, const std::string& name, std::uint64_t at,
               const std::function<void(const Frame&)>& take) {
    const auto ahead = next_ ? static_cast<std::int32_t>(chunk.frames().front().number - *next_) : 0;
    if (ahead < 0) throw Damaged("a chunk whose frames have been before");
    if (ahead > 0) say(name, at, std::to_string(ahead) + " frames are missing before it");
    for (const Frame& frame : chunk.frames()) take(frame);
    next_ = chunk.frames().back().number + 1;
  }

  /// Reads the record at a place; none if it is not whole, and then `record` holds what there is of its head.
  static std::optional<unsigned char> record_at(std::ifstream& file, std::uint64_t at, std::string& record) {
    file.clear();
    file.seekg(static_cast<std::streamoff>(at));
    record.assign(kHead, '\0');
    file.read(record.data(), kHead);
    record.resize(static_cast<std::size_t>(file.gcount()));
    if (record.size() < kHead) return std::nullopt;
    Bytes head(record);
    const auto kind = head.number<unsigned char>();
    const auto size = head.number<std::uint64_t>();
    if (size > kLargestChunk) return std::nullopt;
    std::string body(static_cast<std::size_t>(size), '\0');
    file.read(body.data(), static_cast<std::streamsize>(size));
    if (static_cast<std::uint64_t>(file.gcount()) < size) return std::nullopt;
    record = std::move(body);
    return kind;
  }

  /// Looks for the next place where a chunk may begin: its compression, "zstd" behind its length, stands 37 bytes on.
  static std::optional<std::uint64_t> next_chunk(std::ifstream& file, std::uint64_t at) {
    constexpr std::string_view kZstd{"\x04\0\0\0zstd", 8};
    constexpr std::uint64_t kBefore = kHead + 8 + 8 + 8 + 4;
    std::string window(1 << 20, '\0');
    for (at += kBefore;; at += window.size() - kZstd.size()) {
      file.clear();
      file.seekg(static_cast<std::streamoff>(at));
      file.read(window.data(), static_cast<std::streamsize>(window.size()));
      const auto size = static_cast<std::size_t>(file.gcount());
      const std::size_t found = std::string_view(window).substr(0, size).find(kZstd);
      if (found != std::string_view::npos) return at + found - kBefore;
      if (size < window.size()) return std::nullopt;
    }
  }

  void say(const std::string& name, std::uint64_t at, const std::string& why) {
    ++lost_;
    std::fprintf(stderr, "%s: at byte %llu: %s\n", name.c_str(), static_cast<unsigned long long>(at), why.c_str());
  }

  std::optional<std::uint32_t> next_;  // the number of the next frame
  std::size_t lost_ = 0;
};

struct Trade {
  std::int64_t ts_ns;
  double price;
  double qty;
  bool taker_sell;
};

/// Reads the trades of a frame of a recording that was played: JSON such as
/// [[1781222400123000000,63610.5,0.25,true,7]], where the last may be text. Any JSON reader will do; this one reads
/// that form, and refuses every other.
class Rows {
 public:
  explicit Rows(std::string_view body) : at_(body.data()), end_(body.data() + body.size()) {}

  std::vector<Trade> trades() {
    std::vector<Trade> read;
    expect('[');
    if (!is_next(']')) {
      do read.push_back(row());
      while (is_next(','));
      expect(']');
    }
    if (at_ != end_) throw Damaged("more than rows of trades");
    return read;
  }

 private:
  Trade row() {
    Trade trade{};
    expect('[');
    number(trade.ts_ns);
    expect(',');
    number(trade.price);
    expect(',');
    number(trade.qty);
    expect(',');
    trade.taker_sell = is_next('t');
    for (const char letter : trade.taker_sell ? std::string_view("rue") : std::string_view("false")) expect(letter);
    expect(',');
    if (is_next('"')) {
      while (at_ != end_ && *at_ != '"') at_ += *at_ == '\\' && end_ - at_ > 1 ? 2 : 1;
      expect('"');
    } else {
      std::int64_t id = 0;
      number(id);
    }
    expect(']');
    return trade;
  }

  bool is_next(char letter) {
    if (at_ == end_ || *at_ != letter) return false;
    ++at_;
    return true;
  }

  void expect(char letter) {
    if (!is_next(letter)) throw Damaged("a frame that is no rows of trades");
  }

  template <class T>
  void number(T& value) {
    const auto [end, error] = std::from_chars(at_, end_, value);
    if (error != std::errc{}) throw Damaged("a frame that is no rows of trades");
    at_ = end;
  }

  const char* at_;
  const char* end_;
};

std::string shortest(double value) {
  std::array<char, 32> text{};
  return {text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr};
}

/// Prints the nearest zone of each side.
void print_zones(const liqcore::Engine& engine) {
  std::printf("nearest zones, from the last price %.1f\n", engine.last_price());
  const std::vector<liqcore::Zone> zones = liqcore::find_zones(engine);
  for (const liqcore::Side side : {liqcore::Side::short_, liqcore::Side::long_}) {
    const liqcore::Zone* nearest = nullptr;
    for (const liqcore::Zone& zone : zones)
      if (zone.side == side &&
          (nearest == nullptr || std::abs(zone.distance_percent) < std::abs(nearest->distance_percent)))
        nearest = &zone;
    if (nearest != nullptr)
      std::printf("  %-5s  %.1f to %.1f  %+.2f %%  $%.2f M\n", side == liqcore::Side::long_ ? "long" : "short",
                  nearest->low, nearest->high, nearest->distance_percent, nearest->usd / 1e6);
  }
}

}  // namespace

int main(int argc, char** argv) try {
  std::vector<std::string> files(argv + 1, argv + argc);
  const bool only_trades = !files.empty() && files.front() == "--trades";
  if (only_trades) files.erase(files.begin());
  if (files.empty()) {
    std::fprintf(stderr, "usage: liqcore_journal [--trades] FILE ...\n");
    return 2;
  }
  std::sort(files.begin(), files.end());  // names tell the time at which a segment begins

  const liqcore::Instrument btc("BTCUSDT", "binance-usdm", liqcore::Contract::linear, 0.1, 0.00001, 1.0,
                                liqcore::MarginSchedule::flat(0.004));
  const liqcore::LeverageProfile leverage = liqcore::LeverageProfile::preset("default");
  liqcore::EngineOptions options;
  options.half_life_ns = liqcore::default_half_life_ns(leverage);
  liqcore::Engine engine(btc, leverage, options);

  std::map<std::string, std::uint64_t> frames;  // by source
  std::uint64_t garbage = 0;
  Journal journal;
  const auto take = [&](const Frame& frame) {
    ++frames[std::string(frame.venue) + "/" + std::string(frame.source)];
    if (!frame.source.starts_with("replay:")) return;  // messages of venues: each has a form of its own
    try {
      for (const Trade& trade : Rows(frame.body).trades()) {
        if (only_trades)
          std::printf("%lld %s %s %d\n", static_cast<long long>(trade.ts_ns), shortest(trade.price).c_str(),
                      shortest(trade.qty).c_str(), trade.taker_sell ? 1 : 0);
        else
          engine.trade(trade.ts_ns, trade.price, trade.qty, trade.taker_sell);
      }
    } catch (const Damaged&) {
      ++garbage;
    }
  };
  for (const std::string& file : files) journal.read(file, take);
  if (only_trades) return 0;

  for (const auto& [source, count] : frames)
    std::printf("%s: %llu frames\n", source.c_str(), static_cast<unsigned long long>(count));
  std::printf("%llu trades used, %llu rejected; %llu frames that cannot be read; %zu stretches lost\n",
              static_cast<unsigned long long>(engine.stats().used),
              static_cast<unsigned long long>(engine.stats().rejected_total()),
              static_cast<unsigned long long>(garbage), journal.lost());
  if (engine.stats().used > 0) print_zones(engine);
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "error: %s\n", error.what());
  return 2;
}
