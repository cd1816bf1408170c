// SPDX-License-Identifier: MIT
#include "modem/at/error_codes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace modem {

namespace {

using enum Errc;

// 3GPP TS 27.007 section 9.2, and the rows that FIBOCOM L610 AT Commands section 2.1 adds to it
// (from 244 on: mobile call causes of TS 24.008 plus 1000, which several vendors share).
constexpr auto cme_rows = std::to_array<ErrorCode>({
    {0, refused, "phone failure"},
    {1, link_down, "no connection to phone"},
    {2, link_down, "phone adaptor link reserved"},
    {3, refused, "operation not allowed"},
    {4, not_supported, "operation not supported"},
    {5, pin_required, "PH-SIM PIN required"},
    {6, pin_required, "PH-FSIM PIN required"},
    {7, pin_required, "PH-FSIM PUK required"},
    {10, sim_missing, "SIM not inserted"},
    {11, pin_required, "SIM PIN required"},
    {12, pin_required, "SIM PUK required"},
    {13, sim_missing, "SIM failure"},
    {14, link_down, "SIM busy"},
    {15, sim_missing, "SIM wrong"},
    {16, pin_required, "incorrect password"},
    {17, pin_required, "SIM PIN2 required"},
    {18, pin_required, "SIM PUK2 required"},
    {19, pin_required, "incorrect PUK1"},
    {20, module_memory, "memory full"},
    {21, refused, "invalid index"},
    {22, not_found, "not found"},
    {23, module_memory, "memory failure"},
    {24, name_too_long, "text string too long"},
    {25, not_representable, "invalid characters in text string"},
    {26, refused, "dial string too long"},
    {27, refused, "invalid characters in dial string"},
    {30, no_service, "no network service"},
    {31, no_service, "network timeout"},
    {32, no_service, "network not allowed - emergency calls only"},
    {40, pin_required, "network personalization PIN required"},
    {41, pin_required, "network personalization PUK required"},
    {42, pin_required, "network subset personalization PIN required"},
    {43, pin_required, "network subset personalization PUK required"},
    {44, pin_required, "service provider personalization PIN required"},
    {45, pin_required, "service provider personalization PUK required"},
    {46, pin_required, "corporate personalization PIN required"},
    {47, pin_required, "corporate personalization PUK required"},
    {48, pin_required, "hidden key required"},
    {49, not_supported, "EAP method not supported"},
    {50, invalid_argument, "incorrect parameters"},
    {51, not_supported, "command implemented but currently disabled"},
    {52, refused, "command aborted by user"},
    {53, link_down, "not attached to network due to MT functionality restrictions"},
    {54, no_service, "modem not allowed, MT restricted to emergency calls only"},
    {55, link_down, "operation not allowed because of MT functionality restrictions"},
    {56, pin_required, "fixed dial number only allowed"},
    {57, link_down, "temporarily out of service due to other MT usage"},
    {58, not_supported, "language or alphabet not supported"},
    {59, refused, "unexpected data value"},
    {60, refused, "system failure"},
    {61, refused, "data missing"},
    {62, refused, "call barred"},
    {63, refused, "message waiting indication subscription failure"},
    {100, refused, "unknown error"},
    {102, no_service, "IMSI unknown in HLR"},
    {103, no_service, "illegal MS"},
    {104, no_service, "IMSI unknown in VLR"},
    {105, no_service, "IMEI not accepted"},
    {106, no_service, "illegal ME"},
    {107, no_service, "GPRS services not allowed"},
    {108, no_service, "GPRS and non-GPRS services not allowed"},
    {109, no_service, "MS identity cannot be derived by the network"},
    {110, link_down, "implicitly detached"},
    {111, no_service, "PLMN not allowed"},
    {112, no_service, "location area not allowed"},
    {113, no_service, "roaming not allowed in this location area"},
    {114, no_service, "GPRS services not allowed in this PLMN"},
    {115, no_service, "no suitable cells in location area"},
    {116, no_service, "MSC temporarily not reachable"},
    {117, no_service, "network failure"},
    {122, no_service, "congestion"},
    {125, no_service, "not authorized for this CSG"},
    {126, bearer_lost, "insufficient resources"},
    {127, bearer_lost, "missing or unknown APN"},
    {128, bearer_lost, "unknown PDP address or PDP type"},
    {129, bearer_lost, "user authentication failed"},
    {130, bearer_lost, "activation rejected by gateway"},
    {131, bearer_lost, "activation rejected, unspecified"},
    {132, not_supported, "service option not supported"},
    {133, bearer_lost, "requested service option not subscribed"},
    {134, bearer_lost, "service option temporarily out of order"},
    {135, bearer_lost, "NSAPI already used"},
    {136, bearer_lost, "regular deactivation"},
    {137, bearer_lost, "QoS not accepted"},
    {138, bearer_lost, "call cannot be identified"},
    {139, bearer_lost, "CS service temporarily unavailable"},
    {140, not_supported, "feature not supported"},
    {141, bearer_lost, "semantic error in the TFT operation"},
    {142, bearer_lost, "syntactical error in the TFT operation"},
    {143, bearer_lost, "unknown PDP context"},
    {144, bearer_lost, "semantic errors in packet filter"},
    {145, bearer_lost, "syntactical errors in packet filter"},
    {146, bearer_lost, "PDP context without TFT already activated"},
    {148, link_down, "unspecified GPRS error"},
    {149, bearer_lost, "PDP authentication failure"},
    {150, bearer_lost, "invalid mobile class"},
    {151, bearer_lost, "last PDN disconnection not allowed"},
    {171, bearer_lost, "last PDN disconnection not allowed"},
    {172, refused, "semantically incorrect message"},
    {173, refused, "mandatory information element error"},
    {174, refused, "information element not implemented"},
    {175, refused, "conditional information element error"},
    {176, refused, "protocol error, unspecified"},
    {177, bearer_lost, "operator determined barring"},
    {178, bearer_lost, "maximum number of PDP contexts reached"},
    {179, bearer_lost, "requested APN not supported in current RAT and PLMN combination"},
    {180, bearer_lost, "request rejected, bearer control mode violation"},
    {181, bearer_lost, "unsupported QCI value"},
    {182, bearer_lost, "user data transmission via control plane is congested"},
    {244, no_service, "attach failure"},
    {257, refused, "invalid error mapping"},
    {258, bearer_lost, "APN not listed in APN Control List (ACL)"},
    {701, pin_required, "incorrect security code"},
    {702, pin_required, "max attempts reached"},
    {1001, refused, "Unassigned (unallocated) number"},
    {1003, refused, "No route to destination"},
    {1006, refused, "Channel unacceptable"},
    {1008, refused, "Operator determined barring"},
    {1016, refused, "Normal call clearing"},
    {1017, refused, "User busy"},
    {1018, refused, "No user responding"},
    {1019, refused, "User alerting, no answer"},
    {1021, refused, "Call rejected"},
    {1022, refused, "Number changed"},
    {1026, refused, "Non selected user clearing"},
    {1027, refused, "Destination out of order"},
    {1028, refused, "Invalid number format (incomplete number)"},
    {1029, refused, "Facility rejected"},
    {1030, refused, "Response to STATUS ENQUIRY"},
    {1031, refused, "Normal, unspecified"},
    {1034, refused, "No circuit/channel available"},
    {1038, refused, "Network out of order"},
    {1041, refused, "Temporary failure"},
    {1042, refused, "Switching equipment congestion"},
    {1043, refused, "Access information discarded"},
    {1044, refused, "requested circuit/channel not available"},
    {1047, refused, "Resources unavailable, unspecified"},
    {1049, refused, "Quality of service unavailable"},
    {1050, refused, "Requested facility not subscribed"},
    {1055, refused, "Incoming calls barred within the CUG"},
    {1057, refused, "Bearer capability not authorized"},
    {1058, refused, "Bearer capability not presently available"},
    {1063, refused, "Service or option not available, unspecified"},
    {1065, refused, "Bearer service not implemented"},
    {1068, refused, "ACM equal to or greater than ACMmax"},
    {1069, not_supported, "Requested facility not implemented"},
    {1070, refused, "Only restr. digital information bearer capability"},
    {1079, not_supported, "Service or option not implemented, unspecified"},
    {1081, refused, "invalid transaction identifier"},
    {1087, refused, "User not member of CUG"},
    {1088, refused, "Incompatible destination"},
    {1091, refused, "Invalid transit network selection"},
    {1095, refused, "Semantically incorrect message"},
    {1096, refused, "Invalid mandatory information"},
    {1097, refused, "Message type non-existent or not implemented"},
    {1098, refused, "Message type not compatible with protocol state"},
    {1099, refused, "Information element non-existent or not implemented"},
    {1100, refused, "Conditional IE error"},
    {1101, refused, "Message not compatible with protocol state"},
    {1102, refused, "Recovery on timer expiry"},
    {1111, refused, "Protocol error, unspecified"},
    {1127, refused, "Interworking, unspecified"},
    {1279, refused, "Number not allowed"},
    {1283, refused, "CCBS possible"},
});

// 3GPP TS 27.005 section 3.2.5 (and TS 24.011, TS 23.040 below 300), with the rows of FIBOCOM L610
// AT Commands section 2.2.
constexpr auto cms_rows = std::to_array<ErrorCode>({
    {1, refused, "Unassigned (unallocated) number"},
    {8, refused, "Operator determined barring"},
    {10, refused, "Call barred"},
    {17, refused, "Network failure"},
    {21, refused, "Short message transfer rejected"},
    {22, refused, "Memory capacity exceeded"},
    {27, refused, "Destination out of service"},
    {28, refused, "Unidentified subscriber"},
    {29, refused, "Facility rejected"},
    {30, refused, "Unknown Subscriber"},
    {38, refused, "Network out of order"},
    {41, refused, "Temporary failure"},
    {42, refused, "Congestion"},
    {47, refused, "Resources unavailable, unspecified"},
    {50, refused, "Requested facility not subscribed"},
    {69, refused, "Requested facility not implemented"},
    {81, refused, "Invalid short message reference value"},
    {95, refused, "Invalid message, unspecified"},
    {96, refused, "Invalid mandatory information"},
    {97, refused, "Message type non-existent or not implemented"},
    {98, refused, "Message not compatible with short message protocol state"},
    {99, refused, "Information element non-existent or not implemented"},
    {111, refused, "Protocol error, unspecified"},
    {127, refused, "Interworking unspecified"},
    {128, refused, "Telematic interworking not supported"},
    {129, refused, "Short message type 0 not supported"},
    {130, refused, "Cannot replace short message"},
    {143, refused, "Unspecified TP-PID error"},
    {144, refused, "Data coding scheme (alphabet) not supported"},
    {145, refused, "Message class not supported"},
    {159, refused, "Unspecified TP-DCS error"},
    {160, refused, "Command cannot be actioned"},
    {161, refused, "Command unsupported"},
    {175, refused, "Unspecified TP-Command error"},
    {176, refused, "TPDU not supported"},
    {192, refused, "SC busy"},
    {193, refused, "No SC subscription"},
    {194, refused, "SC system failure"},
    {195, refused, "Invalid SME address"},
    {196, refused, "Destination SME barred"},
    {197, refused, "SM Rejected-Duplicate SM"},
    {198, refused, "TP-VPF not supported"},
    {199, refused, "TP-VP not supported"},
    {208, refused, "SIM SMS storage full"},
    {209, refused, "No SMS storage capability in SIM"},
    {210, refused, "Error in MS"},
    {211, refused, "Memory Capacity Exceeded"},
    {212, refused, "SIM Application Toolkit Busy"},
    {213, refused, "SIM data download error"},
    {224, refused, "TP_FCS_APPL_ERR_START"},
    {254, refused, "TP_FCS_APPL_ERR_STOP"},
    {255, refused, "TP_FCS_UNSPECIFIED"},
    {300, refused, "ME failure"},
    {301, refused, "SMS service of ME reserved"},
    {302, refused, "operation not allowed"},
    {303, not_supported, "operation not supported"},
    {304, refused, "Invalid PDU mode param"},
    {305, refused, "invalid text mode parameter"},
    {310, sim_missing, "SIM not inserted"},
    {311, pin_required, "SIM PIN required"},
    {312, pin_required, "PH-SIM PIN necessary"},
    {313, sim_missing, "SIM failure"},
    {314, link_down, "SIM busy"},
    {315, sim_missing, "SIM wrong"},
    {317, pin_required, "SIM PIN2 required"},
    {318, pin_required, "SIM PUK2 required"},
    {319, pin_required, "incorrect PUK1"},
    {320, module_memory, "memory failure"},
    {321, refused, "invalid memory index"},
    {322, module_memory, "memory full"},
    {330, refused, "SMSC address unknown"},
    {331, no_service, "no network service"},
    {332, no_service, "network timeout"},
    {340, refused, "no +CNMA acknowledgement expected"},
    {500, refused, "unknown error"},
    {512, refused, "MN_SMS_RP_ACK"},
    {513, refused, "MN_SMS_TIMER_EXPIRED"},
    {514, refused, "MN_SMS_FORW_AVAIL_FAILED"},
    {515, refused, "MN_SMS_FORW_AVAIL_ABORTED"},
    {516, refused, "MS invalid TP-Message-Type-Indicator"},
    {517, refused, "MS no TP-Status-Report in Phase 1"},
    {518, refused, "MS no TP-Reject-Duplicate in Phase 1"},
    {519, refused, "MS no TP-Reply-Path in Phase 1"},
    {520, refused, "MS no TP-User-Data-Header in Phase 1"},
    {521, refused, "MS missing TP-Validity-Period"},
    {522, refused, "MS invalid TP-Service-Centre-Time-Stamp"},
    {523, refused, "MS missing TP-Destination-Address"},
    {524, refused, "MS invalid TP-Destination-Address"},
    {525, refused, "MS missing Service-Centre-Address"},
    {526, refused, "MS invalid Service-Centre-Address"},
    {527, refused, "MS invalid alphabet"},
    {528, refused, "MS invalid TP-User-Data-Length"},
    {529, refused, "MS missing TP-User-Data"},
    {530, refused, "MS TP-User-Data too long"},
    {531, refused, "MS no Command-Request in Phase 1"},
    {532, refused, "MS Cmd-Req invalid TP-Destination-Address"},
    {533, refused, "MS Cmd-Req invalid TP-User-Data-Length"},
    {534, refused, "MS Cmd-Req invalid TP-User-Data"},
    {535, refused, "MS Cmd-Req invalid TP-Command-Type"},
    {536, refused, "MN MNR creation failed"},
    {537, refused, "MS CMM creation failed"},
    {538, refused, "MS network connection lost"},
    {539, refused, "MS pending MO SM transfer"},
    {540, refused, "RP-Error OK"},
    {541, refused, "RP-Error OK no icon display"},
    {542, refused, "SMS-PP Unspecified"},
    {543, refused, "SMS rejected By SMS CONTROL"},
});

const ErrorCode* find(std::span<const ErrorCode> table, int number) {
    const auto row = std::find_if(table.begin(), table.end(),
                                  [&](const ErrorCode& code) { return code.number == number; });
    return row == table.end() ? nullptr : &*row;
}

bool same_words(std::string_view a, std::string_view b) {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c | 0x20) : c;
    };
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [&](char x, char y) { return lower(x) == lower(y); });
}

Error number_error(const ErrorCode* row, int number, std::string_view kind) {
    if (row == nullptr) {
        return Error{refused, number, fmt::format("+{} ERROR: {}", kind, number)};
    }
    return Error{row->code, number, fmt::format("{} (+{} ERROR: {})", row->words, kind, number)};
}

}  // namespace

std::span<const ErrorCode> cme_errors() {
    return cme_rows;
}

std::span<const ErrorCode> cms_errors() {
    return cms_rows;
}

Error cme_error(int number, std::span<const ErrorCode> vendor) {
    const auto* row = find(vendor, number);
    return number_error(row != nullptr ? row : find(cme_rows, number), number, "CME");
}

Error cms_error(int number) {
    return number_error(find(cms_rows, number), number, "CMS");
}

Error cme_error(std::string_view words, std::span<const ErrorCode> vendor) {
    for (const auto table : {vendor, cme_errors()}) {
        for (const auto& row : table) {
            if (same_words(row.words, words)) {
                return Error{row.code, row.number, fmt::format("{} (+CME ERROR)", words)};
            }
        }
    }
    return Error{refused, 0, fmt::format("{} (+CME ERROR)", words)};
}

}  // namespace modem
